"""How many sessions one client may have, and which go first: those that nobody has asked anything in.

A client is the token that a request shows, else the process behind it, as far as the server sees that. A session that
was only opened is no loss: whoever meets its end opens another, as the protocol says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any, Protocol

from starlette.types import Scope

from comity.doors.mcp_http.refusals import Refused
from comity.doors.mcp_http.session import Session
from comity.mcp import wire
from comity.server.auth.principal import Principal

MOST_SESSIONS = 2000
MOST_EACH = 500


class Clients(Protocol):
    """What the server says of whose a request is."""

    async def client_of(self, scope: Scope, principal: Principal) -> str: ...


def to_forget(sessions: Collection[Session], client: str, most: int, each: int) -> Session | None:
    """The session in whose place a client's new one may stand; None: there is room. Raises Refused."""
    theirs = [session for session in sessions if session.client == client]
    if len(theirs) >= each:
        return _unused(theirs) or _refuse(429, f"{each} sessions of yours are open and in use.")
    if len(sessions) < most:
        return None
    counts = Counter(session.client for session in sessions)
    ranked = sorted(sessions, key=lambda session: -counts[session.client])
    return _unused(ranked) or _refuse(503, f"{most} sessions are open.")


def _unused(sessions: Collection[Session]) -> Session | None:
    """The first in which nothing was asked; sessions of one client stand in the order in which they were opened."""
    return next((one for one in sessions if not (one.in_use or one.running or one.listeners)), None)


def _refuse(status: int, why: str) -> Any:
    hint = "End one with DELETE, or try again in a minute."
    raise Refused(status, wire.INTERNAL_ERROR, f"{why} {hint}", retry_after="60")
