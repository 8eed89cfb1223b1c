"""Making, checking and revoking tokens.

The secret is 32 random bytes, so a plain SHA-256 of it gives nothing away and needs no slow function. A check reads one
row by its key and compares in constant time, against a digest that nothing has when there is no such row. Whether a
token expired or was revoked is told only to whoever has its secret.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from comity.kernel.agent_names import require_free
from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.javascript import trim
from comity.kernel.problem import Invalid, NotFound, Unauthenticated
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact
from comity.rooms.tokens.model import ID_DIGITS, CheckedToken, CreatedToken, Token

_SECRET_BYTES = 32
_NOBODYS = hashlib.sha256(secrets.token_bytes(_SECRET_BYTES)).hexdigest()
_USE_MS = 60_000  # how exact the time of the last use is
_HINT = "Create one on the server's machine: comity token create --role worker."


def text_of(token_id: str, secret: str) -> str:
    """The token as it is sent."""
    return f"comity_{token_id}_{secret}"


def digest_of(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create(scope: Scope, role: str, agent_id: str | None, label: str, expires_in_s: int) -> CreatedToken:
    """Make a token."""
    named = None if agent_id is None else trim(agent_id)
    if named == "":
        raise Invalid("token.blank_agent", "The agent's id is blank.", "Name the agent, or leave it out.")
    require_free(named or "")
    token_id, secret = secrets.token_hex(ID_DIGITS // 2), secrets.token_hex(_SECRET_BYTES)
    scope.tx.run(
        "tokens.add",
        token_id=token_id,
        digest=digest_of(secret),
        role=role,
        agent_id=named,
        label=label,
        now_ms=scope.now.ms,
        created_by=scope.actor.agent_id,
        expires_ms=scope.now.ms + expires_in_s * 1000 if expires_in_s else None,
    )
    _tell(scope, "token.created", token_id, {"role": role, "for": named} if named else {"role": role})
    return CreatedToken(text_of(token_id, secret), get(scope, token_id))


def check(scope: Scope, token_id: str, digest: str) -> CheckedToken:
    """Whom the token stands for. Unauthenticated ``token.unknown``, ``token.revoked`` or ``token.expired``."""
    kept, role, agent_id, expires_ms, revoked_ms = scope.tx.one("tokens.secret", token_id=token_id) or _NO_ROW
    if not hmac.compare_digest(kept.encode(), digest.encode()) or kept is _NOBODYS:
        raise Unauthenticated("token.unknown", "This token is not known here.", _HINT)
    if revoked_ms is not None:
        raise Unauthenticated("token.revoked", "This token was revoked.", _HINT)
    if expires_ms is not None and expires_ms <= scope.now.ms:
        raise Unauthenticated("token.expired", f"This token expired at {Instant.at(expires_ms).iso}.", _HINT)
    return CheckedToken(token_id, role, agent_id)


def get(scope: Scope, token_id: str) -> Token:
    """One token without its secret. NotFound ``token.no_such``."""
    row = scope.tx.one("tokens.get", token_id=token_id)
    if row is None:
        raise NotFound("token.no_such", f"There is no token {token_id!r}.", "`comity token list --all` shows them.")
    return _token(scope, row)


def every(scope: Scope, *, dead_too: bool, agent_id: str | None, limit: int) -> list[Token]:
    """Tokens, or an agent's, the newest first."""
    wanted = {"all": dead_too, "agent_id": agent_id, "now_ms": scope.now.ms, "limit": limit}
    return [_token(scope, row) for row in scope.tx.all("tokens.list", **wanted)]


def owned(scope: Scope, agent_id: str) -> bool:
    """Whether a living token names this agent, so that nobody else may be it over the network."""
    return bool(every(scope, dead_too=False, agent_id=agent_id, limit=1))


def revoke(scope: Scope, token_id: str) -> bool:
    """Make a token useless for ever; false when it was so already."""
    changed = scope.tx.run("tokens.revoke", token_id=token_id, now_ms=scope.now.ms, revoked_by=scope.actor.agent_id)
    if changed:
        _tell(scope, "token.revoked", token_id, {})
    return bool(changed)


def touch(scope: Scope, token_ids: list[str]) -> int:
    """Note that tokens were used now, unless that was noted less than a minute ago."""
    ids = compact(token_ids)
    return scope.tx.run("tokens.touch", token_ids=ids, now_ms=scope.now.ms, before_ms=scope.now.ms - _USE_MS)


_NO_ROW: Row = (_NOBODYS, "", None, None, None)


def _token(scope: Scope, row: Row) -> Token:
    token_id, role, agent_id, label, created_ms, created_by, expires_ms, revoked_ms, revoked_by, used_ms = row
    if revoked_ms is not None:
        state = "revoked"
    else:
        state = "expired" if expires_ms is not None and expires_ms <= scope.now.ms else "live"
    times = (_iso(expires_ms), _iso(revoked_ms), revoked_by, _iso(used_ms))
    return Token._make((token_id, role, state, label, _iso(created_ms), created_by, agent_id, *times))


def _iso(ms: int | None) -> str | None:
    return None if ms is None else Instant.at(ms).iso


def _tell(scope: Scope, event_type: str, token_id: str, more: dict[str, object]) -> None:
    metadata: dict[str, object] = {"tokenId": token_id, **more}
    scope.emit(Event(event_type, agent_id=scope.actor.agent_id, metadata=metadata, subjects=(("token", token_id),)))
