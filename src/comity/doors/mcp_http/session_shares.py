"""Shares of the sessions: how many one client may have, and which go first: those without any request.

A client is the token that a request shows, else the process behind it, as far as the server sees that. A session that
was only opened is no loss: its client opens another, as the protocol says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from comity.doors.mcp_http.refusals import RefusedRequest
from comity.doors.mcp_http.session import McpSession
from comity.mcp import wire

MOST_SESSIONS = 2000
MOST_EACH = 500


def to_forget(sessions: Collection[McpSession], client: str, most: int, each: int) -> McpSession | None:
    """The session in whose place a client's new one may stand; None: there is room. Raises RefusedRequest."""
    theirs = [session for session in sessions if session.client == client]
    if len(theirs) >= each:
        return _unused(theirs) or _refuse(429, f"{each} sessions of yours are open and in use.")
    if len(sessions) < most:
        return None
    counts = Counter(session.client for session in sessions)
    ranked = sorted(sessions, key=lambda session: -counts[session.client])
    return _unused(ranked) or _refuse(503, f"{most} sessions are open.")


def _unused(sessions: Collection[McpSession]) -> McpSession | None:
    """The first in which nothing was asked; sessions of one client stand in the order in which they were opened."""
    return next((one for one in sessions if not (one.in_use or one.running or one.listeners)), None)


def _refuse(status: int, why: str) -> Any:
    hint = "End one with DELETE, or try again in a minute."
    raise RefusedRequest(status, wire.INTERNAL_ERROR, f"{why} {hint}", retry_after="60")
