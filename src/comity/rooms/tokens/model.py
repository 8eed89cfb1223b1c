"""Records and argument types of tokens."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple

ID_DIGITS, DIGEST_DIGITS = 12, 64  # hexadecimal
MONTH_S = 30 * 86_400
MAX_LIFE_S = 10 * 366 * 86_400
MAX_AGENT_ID = 200

TokenRole = Annotated[
    Literal["reader", "worker", "admin"],
    Note("reader: look only; worker: take part; admin: everything, tokens too."),
]
ForAgent = Annotated[
    str, Text("The agent that whoever shows it is; without one they name themselves.", min=1, max=MAX_AGENT_ID)
]
OfAgent = Annotated[str, Text("Only tokens that name this agent.", min=1, max=MAX_AGENT_ID)]
Label = Annotated[str, Text("What it is for, for people to read.", max=200)]
ExpiresInS = Annotated[int, Number("Seconds until it expires; 0 is never.", ge=0, le=MAX_LIFE_S)]
TokenId = Annotated[str, Text("The token's public id: the part between its two underscores.", min=1, max=ID_DIGITS)]
TokenIds = Annotated[list[TokenId], Items("Public ids of tokens.", max=1000)]
Digest = Annotated[str, Text("SHA-256 of the secret, hexadecimal.", min=DIGEST_DIGITS, max=DIGEST_DIGITS, secret=True)]
EveryToken = Annotated[bool, Note("Also those that expired or were revoked.")]
TokenLimit = Annotated[int, Number("How many at most.", ge=1, le=1000)]


class Token(NamedTuple):
    """What is known of a token; never its secret. ``state`` is live, expired or revoked."""

    token_id: str
    role: str
    state: str
    label: str
    created_at: str
    created_by: str
    agent_id: str | None = None
    expires_at: str | None = None
    revoked_at: str | None = None
    revoked_by: str | None = None
    last_used_at: str | None = None


class CreatedToken(NamedTuple):
    """A new token. ``secret`` is what to send; it is shown now and never again."""

    secret: str
    token: Token


class Tokens(NamedTuple):
    """Tokens, the newest first."""

    tokens: list[Token]


class RevokedToken(NamedTuple):
    """A token that nobody can use any more; ``changed`` is false when it was revoked before."""

    token: Token
    changed: bool


class CheckedToken(NamedTuple):
    """Whom a token stands for."""

    token_id: str
    role: str
    agent_id: str | None = None


class TouchedTokens(NamedTuple):
    """How many tokens got a new time of use."""

    touched: int
