"""Operations on tokens. Over the network they are for admins; at the command line, for whoever can open the file."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.tokens import credentials
from comity.rooms.tokens.model import (
    MONTH_S,
    CheckedToken,
    CreatedToken,
    Digest,
    EveryToken,
    ExpiresInS,
    ForAgent,
    Label,
    OfAgent,
    RevokedToken,
    Token,
    TokenId,
    TokenIds,
    TokenLimit,
    TokenRole,
    Tokens,
    TouchedTokens,
)

_SOME_ID = "0123456789ab"


@op("token.create", effect="write", example={"role": "worker", "agent_id": "ann", "label": "ann's laptop"}, secret=True)
def create_token(
    scope: Scope,
    *,
    role: TokenRole,
    agent_id: ForAgent | None = None,
    label: Label = "",
    expires_in_s: ExpiresInS = MONTH_S,
) -> CreatedToken:
    """Make a token for the server; its secret is in this answer and nowhere else.

    Whoever shows it may do what its role grants, and is the agent that it names. An agent may have several.
    """
    return credentials.create(scope, role, agent_id, label, expires_in_s)


@op("token.list", effect="read", example={})
def list_tokens(
    scope: Scope, *, include_dead: EveryToken = False, agent_id: OfAgent | None = None, limit: TokenLimit = 100
) -> Tokens:
    """List tokens without their secrets, the newest first.

    An agent that a living token names is that token's alone: over the network nobody else can be it.
    """
    return Tokens(credentials.every(scope, dead_too=include_dead, agent_id=agent_id, limit=limit))


@op("token.get", effect="read", example={"token_id": _SOME_ID})
def get_token(scope: Scope, *, token_id: TokenId) -> Token:
    """Show one token without its secret."""
    return credentials.get(scope, token_id)


@op("token.revoke", effect="write", example={"token_id": _SOME_ID})
def revoke_token(scope: Scope, *, token_id: TokenId) -> RevokedToken:
    """Make a token useless from now on, for every server on this file."""
    changed = credentials.revoke(scope, token_id)
    return RevokedToken(credentials.get(scope, token_id), changed)


@op("token.check", effect="read", example={"token_id": _SOME_ID, "digest": "0" * 64})
def check_token(scope: Scope, *, token_id: TokenId, digest: Digest) -> CheckedToken:
    """Find out whom a token stands for, by its public id and the SHA-256 of its secret.

    What is not known, has expired or was revoked is refused. Servers ask this for every request.
    """
    return credentials.check(scope, token_id, digest)


@op("token.touch", effect="write", example={"token_ids": []})
def touch_tokens(scope: Scope, *, token_ids: TokenIds) -> TouchedTokens:
    """Note that these tokens were used just now; to the minute, so that it costs little."""
    return TouchedTokens(credentials.touch(scope, token_ids))
