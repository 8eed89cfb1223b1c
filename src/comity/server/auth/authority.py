"""The authority: which principal a request comes from, and what it may do. Every network door asks here.

Whatever was shown counts: a token that is wrong in any way is refused, never taken for none. A check reads one row of
the database, so that a token which is revoked by any process is refused from then on. Secrets are in no message,
record or log line.
"""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Sequence
from typing import cast

from comity.kernel.call import Permit
from comity.kernel.problem import Forbidden, Invalid, NotFound, Unauthenticated
from comity.kernel.registry import AnyOp
from comity.kernel.scope import Actor
from comity.rooms import REGISTRY
from comity.rooms.tokens.model import CheckedToken, Token
from comity.server.auth.config import AuthConfig, is_loopback
from comity.server.auth.grants import allows
from comity.server.auth.principal import Principal, Role
from comity.workspace import Workspace

_BEARER = re.compile(r"(?i:bearer) +comity_([0-9a-f]{12})_([0-9a-f]{64})", re.ASCII)
_LONGEST = 1024  # characters of a header that are looked at
_HOW = "Send the header `Authorization: Bearer comity_…` with the token that `comity token create` printed."
_NOTED_S = 60.0
_TOKEN, _TOKENS = REGISTRY.get("token.get"), REGISTRY.get("token.list")
_MOST_NOTED = 1000
_FREE_S = 0.01


class Authority:
    """Tells who calls, and what they may. ``required``: a request without a token is refused."""

    def __init__(self, workspace: Workspace, config: AuthConfig, *, required: bool) -> None:
        self.config = config
        self.required = required
        self._workspace = workspace
        self._noted: dict[str, float] = {}
        self._free_until: dict[str, float] = {}
        self._used: set[str] = set()
        self._lock = threading.Lock()

    def of(self, authorization: str | Sequence[str] | None) -> Principal:
        """Who shows this ``Authorization`` header, or these if there are several.

        Raises Unauthenticated: ``token.missing``, ``token.malformed``, ``token.unknown``, ``token.revoked``,
        ``token.expired``.
        """
        if authorization is None or (not isinstance(authorization, str) and not authorization):
            if self.required:
                raise Unauthenticated("token.missing", "This server wants a token.", _HOW)
            return Principal(None, self.config.default_role, None)
        token_id, secret = _parts(authorization)
        digest = hashlib.sha256(secret.encode()).hexdigest()
        found: CheckedToken = self._workspace.call("token.check", {"token_id": token_id, "digest": digest})
        self._note(found.token_id)
        return Principal(found.agent_id, cast("Role", found.role), found.token_id, bound=found.agent_id is not None)

    def named(self, principal: Principal, agent_id: str) -> Principal:
        """The same principal as the agent that the request says it comes from.

        Raises Forbidden: ``agent.mismatch`` for a token of another agent, ``agent.bound`` when a living token names the
        agent and it is not the one that was shown, ``agent.unproven`` for a reader whose token names no agent.
        """
        if principal.bound:
            if agent_id != principal.agent_id:
                raise Forbidden(
                    "agent.mismatch",
                    f"The token belongs to {principal.agent_id}, the request says that it comes from {agent_id}.",
                    "Leave the agent's name out, or use that agent's own token.",
                )
            return principal
        found = principal._replace(agent_id=agent_id, asked=True)
        self.require_own(found, agent_id)
        return found

    def require_own(self, principal: Principal, agent_id: str | None) -> None:
        """Whether a principal may be this agent, which its token does not name: Forbidden as ``named`` says it."""
        if principal.bound or not agent_id:
            return
        if principal.role == "reader":
            raise Forbidden(
                "agent.unproven",
                "A reader is only the agent that its token names, and this request shows no such token.",
                "Leave the agent's name out to look around; or `comity token create --role reader --agent NAME`.",
                role=principal.role,
            )
        if self._is_owned(agent_id):
            raise Forbidden(
                "agent.bound",
                f"{agent_id} has a token of its own, so only whoever shows that token is {agent_id}.",
                "Show that token, or come under another name.",
                agentId=agent_id,
            )

    def _is_owned(self, agent_id: str) -> bool:
        """Whether a living token names an agent. That none does is known for a moment, for many requests in a row."""
        now = time.monotonic()
        if now < self._free_until.get(agent_id, 0.0):
            return False
        if self._workspace.perform(_TOKENS, {"agent_id": agent_id, "limit": 1}).tokens:
            return True
        if len(self._free_until) >= _MOST_NOTED:
            self._free_until.clear()
        self._free_until[agent_id] = now + _FREE_S
        return False

    def recheck(self, principal: Principal, agent_id: str | None = None) -> None:
        """Raise what would keep out now somebody who was let in before; ``agent_id`` is whom they came to be."""
        if principal.token_id is None:
            if self.required:
                raise Unauthenticated("token.missing", "This server wants a token.", _HOW)
        else:
            token: Token = self._workspace.perform(_TOKEN, {"token_id": principal.token_id})
            if token.state != "live":
                raise Unauthenticated(f"token.{token.state}", f"This token is {token.state}.", _HOW)
        self.require_own(principal, agent_id or principal.agent_id)

    def still(self, principal: Principal, agent_id: str | None = None) -> bool:
        """Whether ``recheck`` has nothing to say: for what lasts. Raises Problem when the tokens cannot be read."""
        try:
            self.recheck(principal, agent_id)
        except (Unauthenticated, Forbidden, NotFound):
            return False
        return True

    def allows(self, role: str, op_name: str) -> bool:
        """Whether a role grants an operation."""
        return allows(role, op_name)

    def require(self, principal: Principal, op_name: str) -> None:
        """Forbidden ``role.insufficient`` unless the principal may run an operation."""
        if not allows(principal.role, op_name):
            raise _insufficient(principal.role, op_name)

    def permit(self, principal: Principal) -> Permit:
        """What ``Workspace(permit=...)`` asks: raises Forbidden ``role.insufficient``, and as ``named`` does."""

        def check(op: AnyOp, actor: Actor) -> None:
            self.require(principal, op.name)
            if op.effect == "write" and op.name.startswith("token."):
                self._free_until.clear()
            if not principal.asked:
                self.require_own(principal, actor.agent_id)

        return check

    def note_used(self) -> int:
        """Write down when tokens were last used, to about a minute; how many. A loop calls it, no request does."""
        with self._lock:
            used, self._used = self._used, set()
        ids = sorted(used)
        for start in range(0, len(ids), _MOST_NOTED):
            self._workspace.call("token.touch", {"token_ids": ids[start : start + _MOST_NOTED]})
        return len(ids)

    def _note(self, token_id: str) -> None:
        now = time.monotonic()
        if now - self._noted.get(token_id, -_NOTED_S) >= _NOTED_S:
            with self._lock:
                if len(self._noted) >= _MOST_NOTED:
                    self._noted.clear()
                self._noted[token_id] = now
                self._used.add(token_id)


def check_bind(workspace: Workspace, host: str, config: AuthConfig) -> bool:
    """Whether a server that listens on ``host`` wants tokens. Raises Invalid ``auth.required`` when it may not start.

    Other machines are let in with tokens only, and only when there is one: the server would be of no use otherwise.
    """
    required = config.requires_token(host)
    if is_loopback(host):
        return required
    if not required:
        raise Invalid(
            "auth.required",
            f"Other machines can reach {host}, and the configuration says that no token is needed.",
            'Remove "require_token": false from .masc/auth/config.json, or listen on 127.0.0.1.',
            host=host,
        )
    if not workspace.call("token.list", {"limit": 1}).tokens:
        raise Invalid(
            "auth.required",
            f"Other machines can reach {host}, so whoever calls needs a token, and there is none.",
            "Run `comity token create --role admin`, keep what it prints, and start the server again;"
            " or listen on 127.0.0.1.",
            host=host,
        )
    return required


def _parts(authorization: str | Sequence[str]) -> tuple[str, str]:
    """Public id and secret. Unauthenticated ``token.malformed``."""
    shown = [authorization] if isinstance(authorization, str) else list(authorization)
    if len(shown) > 1:
        raise Unauthenticated("token.malformed", "There are several Authorization headers.", f"{_HOW} Once.")
    text = shown[0] if len(shown[0]) <= _LONGEST else ""
    match = _BEARER.fullmatch(text.strip(" \t"))
    if match is None:
        raise Unauthenticated("token.malformed", "The Authorization header holds no token of Comity.", _HOW)
    return match[1], match[2]


def _insufficient(role: str, op_name: str) -> Forbidden:
    least = next((other for other in ("worker", "admin") if allows(other, op_name)), "admin")
    return Forbidden(
        "role.insufficient",
        f"The role {role} may not call {op_name}.",
        f"It takes the role {least}: an admin makes such a token with `comity token create --role {least}`.",
        role=role,
        needs=least,
        operation=op_name,
    )
