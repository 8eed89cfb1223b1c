"""The MCP sessions of one server: whose they are, how many there may be, and when they end."""

from __future__ import annotations

import asyncio
import secrets

from starlette.datastructures import Headers
from starlette.types import Scope

from comity.doors.mcp_http.answers import SESSION_ID
from comity.doors.mcp_http.mirrored_headers import VERSION
from comity.doors.mcp_http.refusals import RefusedRequest
from comity.doors.mcp_http.seat import HttpSeat
from comity.doors.mcp_http.session import ANSWER_S, McpSession
from comity.doors.mcp_http.session_shares import MOST_EACH, MOST_SESSIONS, to_forget
from comity.doors.mcp_http.tool_calls import Calling
from comity.mcp import wire
from comity.server.auth.principal import Principal
from comity.server.connections import whose
from comity.server.state import ServerState

IDLE_S = 30 * 60.0  # without a request or an open stream, after which a session is forgotten


class Sessions:
    """Every session. Used on the event loop only."""

    def __init__(
        self, server: ServerState, idle_s: float = IDLE_S, most: int = MOST_SESSIONS, most_each: int = MOST_EACH
    ) -> None:
        self._server = server
        self._idle_s = idle_s
        self._most, self._most_each = most, most_each
        self._open: dict[str, McpSession] = {}
        self._acted: set[str] = set()  # agents that did something in a session that is over, and have another

    def __len__(self) -> int:
        return len(self._open)

    def all(self) -> list[McpSession]:
        """Those that are open."""
        return list(self._open.values())

    def get(self, session_id: str) -> McpSession | None:
        """One by its id; the caller is not checked."""
        return self._open.get(session_id)

    async def open(self, calling: Calling, principal: Principal, scope: Scope) -> McpSession:
        """Begin one. Raises RefusedRequest when there are too many."""
        client = await whose(scope, principal)
        least = to_forget(self._open.values(), client, self._most, self._most_each)
        if least is not None:
            await self.end(least, "nothing was asked in it, and its place is needed")
        session_id = secrets.token_hex(16)
        seat = HttpSeat(self._server.seats, principal, lasting=True)
        session = self._open[session_id] = McpSession(session_id, seat, calling, client)
        return session

    def find(self, kind: str, principal: Principal, headers: Headers) -> McpSession:
        """The session that a request belongs to. Raises RefusedRequest."""
        session_id = headers.get(SESSION_ID)
        if not session_id:
            raise RefusedRequest(
                400, wire.INVALID_REQUEST, "Send initialize first, then its Mcp-Session-Id with each request."
            )
        session = self._open.get(session_id)
        if session is None or session.over or session.principal != principal:
            raise RefusedRequest(
                404, wire.INVALID_REQUEST, "There is no such session. Send initialize to open another."
            )
        if session.kind != kind:
            raise RefusedRequest(
                409, wire.INVALID_REQUEST, "This session was opened at another address or with other tools."
            )
        version = headers.get(VERSION)
        if version is not None and session.initialized and version != session.version:
            raise RefusedRequest(
                400, wire.INVALID_REQUEST, f"This session speaks MCP {session.version}, not {version}."
            )
        return session

    async def end(self, session: McpSession, reason: str) -> None:
        """Forget a session; its agent leaves when this was the last one."""
        self._open.pop(session.session_id, None)
        session.calling.notices.forget(session.core)
        await session.close()
        agent_id = session.seat.agent_id
        if agent_id and session.seat.bound:
            self._acted.add(agent_id)
        if agent_id in self._acted and not any(one.seat.agent_id == agent_id for one in self._open.values()):
            self._acted.discard(agent_id)
            await self._server.calls.work(lambda: session.seat.end(reason))

    async def tidy(self, now: float) -> None:
        """End idle sessions; renew the leases of those that listen."""
        for session in self.all():
            if session.listeners:
                await self._server.calls.work(session.seat.renew)
            elif not session.running and now - session.used >= self._idle_s:
                await self.end(session, "the session was idle")

    async def close(self) -> None:
        """End all of them."""
        sessions = self.all()
        running = [one.task for session in sessions for one in session.running.values() if one.task is not None]
        if running:
            await asyncio.wait(running, timeout=ANSWER_S)
        await asyncio.gather(*(session.close() for session in sessions))
        self._open.clear()
