"""MCP over streamable HTTP: endpoints over dialects, and who may use which.

Requests of the handshake versions belong to a session; requests of 2026-07-28 and later come alone. Both are answered
by the protocol that also serves standard input and output. Sessions belong to the client that opened them: with another
credential, another agent's name, at another endpoint or with another tool set they are refused.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from comity.dialects.dialect import Dialect
from comity.doors.mcp_http.answers import (
    SESSION_ID,
    SOON_S,
    SessionStream,
    accepts,
    check_type,
    read_body,
    send_json,
    send_refusal,
)
from comity.doors.mcp_http.kept_messages import parse
from comity.doors.mcp_http.lone_requests import Alone
from comity.doors.mcp_http.lone_seats import LoneSeats
from comity.doors.mcp_http.mirrored_headers import MISMATCH, VERSION
from comity.doors.mcp_http.refusals import RefusedRequest
from comity.doors.mcp_http.resource_notices import ResourceFollower
from comity.doors.mcp_http.session import STANDALONE, McpSession, read_message
from comity.doors.mcp_http.session_checks import LOOK_S, Staying
from comity.doors.mcp_http.session_shares import MOST_EACH, MOST_SESSIONS
from comity.doors.mcp_http.sessions import IDLE_S, Sessions
from comity.doors.mcp_http.tool_calls import Calling
from comity.kernel.problem import Problem
from comity.mcp import wire
from comity.mcp.era import HANDSHAKE_VERSIONS, VERSION_KEY
from comity.mcp.protocol import MAX_CALLS
from comity.server import sse
from comity.server.auth.principal import Principal
from comity.server.state import ServerState

TIDY_LOOKS = 15  # so many looks at who may stay between two cleanings
OLD_MESSAGES = "/messages"
_OLD = {
    "deprecation": "true",
    "warning": '299 - "This transport is deprecated: use /mcp"',
    "link": '</mcp>; rel="successor-version"',
}
DEPRECATED = tuple((name.encode(), value.encode()) for name, value in _OLD.items())


class Endpoint(NamedTuple):
    """One address with one set of tools. ``make`` is called when it is first asked for."""

    path: str
    tools: str
    make: Callable[[], Dialect]


class McpHttp:
    """Every MCP endpoint of one server. Made, used and closed on its event loop."""

    def __init__(
        self,
        server: ServerState,
        endpoints: tuple[Endpoint, ...],
        *,
        idle_s: float = IDLE_S,
        most_sessions: int = MOST_SESSIONS,
        most_each: int = MOST_EACH,
    ) -> None:
        self._endpoints = {(one.path, one.tools): one for one in endpoints}
        self._served: dict[tuple[str, str], Calling] = {}
        self._old_path = endpoints[0].path
        self._server = server
        self._sessions = Sessions(server, idle_s, most_sessions, most_each)
        self._follower = ResourceFollower(server)
        self._tasks: list[asyncio.Task[None]] = []
        self._lone_seats = LoneSeats(server)
        self._staying = Staying(server)

    @property
    def sessions(self) -> int:
        """How many sessions are open."""
        return len(self._sessions)

    async def handle(
        self, path: str, tools: str, principal: Principal, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer one request to the endpoint at ``path`` with the tool set ``tools``."""
        headers = Headers(scope=scope)
        try:
            calling = self._serve(path, tools)
            version = headers.get(VERSION)
            if version is not None and version not in HANDSHAKE_VERSIONS:
                seat = await self._lone_seats.seat(principal, scope)
                method, alone = scope["method"], Alone(calling, seat)
                await self._staying.serve(seat, send, lambda sent: alone.answer(method, headers, receive, sent))
            elif scope["method"] == "POST":
                await self._post(calling, principal, scope, headers, receive, send)
            elif scope["method"] == "GET":
                await self._get(calling, principal, headers, receive, send)
            else:
                session = self._sessions.find(calling.kind, principal, headers)
                await self._sessions.end(session, "the client ended the session")
                await send_json(send, b"", None, 200)
        except RefusedRequest as refused:
            await send_refusal(send, refused)

    async def old_stream(self, tools: str, principal: Principal, scope: Scope, receive: Receive, send: Send) -> None:
        """The stream of the transport of 2024-11-05: it tells where to send messages, and carries every answer."""
        try:
            session = await self._sessions.open(self._serve(self._old_path, tools), principal, scope)
        except RefusedRequest as refused:
            await send_refusal(send, refused)
            return
        session.kind = OLD_MESSAGES
        first = sse.block(f"{OLD_MESSAGES}?session_id={session.session_id}".encode(), event="endpoint")
        try:
            await SessionStream(session, receive, send, DEPRECATED).standalone(0, first=first)
        finally:
            await self._sessions.end(session, "the client closed its stream")

    async def old_message(
        self, session_id: str | None, principal: Principal, headers: Headers, receive: Receive, send: Send
    ) -> None:
        """One message of that transport; its answer comes on the stream."""
        try:
            if not session_id:
                raise RefusedRequest(400, wire.INVALID_REQUEST, "session_id is required: GET /sse tells it.")
            session = self._sessions.get(session_id)
            if session is None or session.principal != principal or session.kind != OLD_MESSAGES:
                raise RefusedRequest(404, wire.INVALID_REQUEST, "There is no such session. GET /sse opens one.")
            check_type(headers)
            message = read_message(await read_body(receive))
            if "id" in message and "method" in message:
                _check_free(session, message["id"])
                await self._follow(session, message)
                session.begin(message, STANDALONE)
            await send_json(send, b"", None, 202, **_OLD)
            if "id" not in message:
                session.notified(message)
        except RefusedRequest as refused:
            await send_refusal(send, refused)

    async def close(self) -> None:
        """End every session and stream."""
        for calling in self._served.values():
            calling.notices.close()
        await self._sessions.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- one request

    async def _post(
        self, calling: Calling, principal: Principal, scope: Scope, headers: Headers, receive: Receive, send: Send
    ) -> None:
        if not accepts(headers, "application/json", "text/event-stream"):
            raise RefusedRequest(406, wire.INVALID_REQUEST, "Accept both application/json and text/event-stream.")
        check_type(headers)
        message = read_message(await read_body(receive))
        _check_era(headers, message)
        method, opened = message.get("method"), None
        try:
            if method == "initialize" and "id" in message:
                if headers.get(SESSION_ID):
                    raise RefusedRequest(
                        400, wire.INVALID_REQUEST, "initialize begins a session: leave Mcp-Session-Id out."
                    )
                session = opened = await self._sessions.open(calling, principal, scope)
            else:
                session = self._sessions.find(calling.kind, principal, headers)
            session.used = time.monotonic()
            if "id" in message and method is not None:
                await self._request(session, message, receive, send)
            else:
                await send_json(send, b"", session, 202)
                if method is not None:
                    session.notified(message)
        except RefusedRequest as refused:
            raise refused.of(message.get("id")) from None
        if opened is not None and not opened.initialized:
            await self._sessions.end(opened, "the handshake failed")

    async def _request(self, session: McpSession, message: dict[str, Any], receive: Receive, send: Send) -> None:
        _check_free(session, message["id"])
        await self._follow(session, message)
        running = session.begin(message)
        if not running.response:
            with suppress(TimeoutError):
                async with asyncio.timeout(SOON_S):
                    await running.first.wait()
        if running.response and not running.stream:
            await send_json(send, running.response, session)
        else:
            await SessionStream(session, receive, send).of_request(running)
        session.used = time.monotonic()

    async def _follow(self, session: McpSession, message: dict[str, Any]) -> None:
        """Hear of every change from now on, before a subscription to some of them is answered."""
        if message["method"] == "resources/subscribe":
            await session.calling.notices.watch(session.core, session.tell)

    async def _get(
        self, calling: Calling, principal: Principal, headers: Headers, receive: Receive, send: Send
    ) -> None:
        if not accepts(headers, "text/event-stream"):
            raise RefusedRequest(406, wire.INVALID_REQUEST, "A GET opens a stream: accept text/event-stream.")
        session = self._sessions.find(calling.kind, principal, headers)
        stream = SessionStream(session, receive, send)
        last = headers.get("last-event-id")
        if not last:
            await stream.standalone(session.last_sent)
        else:
            found = parse(last)
            if found is None or not session.kept.knows(found[0]) or found[1] > session.kept.newest:
                await stream.standalone(session.kept.newest, gap=True)
            elif found[0] == STANDALONE:
                await stream.standalone(found[1])
            else:
                await stream.resume(*found)
        session.used = time.monotonic()

    # -- besides requests

    def _serve(self, path: str, tools: str) -> Calling:
        key = (path, tools)
        found = self._served.get(key)
        if found is None:
            endpoint = self._endpoints.get(key)
            if endpoint is None:
                sets = ", ".join(other for place, other in self._endpoints if place == path and other)
                told = f"There is no such set of tools. ?tools= takes one of: {sets}."
                raise RefusedRequest(400, wire.INVALID_REQUEST, told)
            dialect = endpoint.make()
            notices = self._follower.notices_of(dialect)
            found = self._served[key] = Calling(f"{path}?{tools}", dialect, notices, self._server)
            if not self._tasks:
                self._tasks = [asyncio.create_task(self._follower.run()), asyncio.create_task(self._keep_house())]
        return found

    async def _keep_house(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            with suppress(Problem):  # the database is locked or away: at the next look
                await self._staying.look(self._sessions.all(), self._sessions.end)
                if looks % TIDY_LOOKS == 0:
                    await self.tidy(time.monotonic())

    async def tidy(self, now: float) -> None:
        """End idle sessions and processes' agents; renew the leases of those that listen."""
        await self._lone_seats.tidy()
        await self._sessions.tidy(now)


def _check_era(headers: Headers, message: dict[str, Any]) -> None:
    """Raises RefusedRequest for a request that says in itself a version that its header does not say."""
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    said = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    if said is not None and said != headers.get(VERSION):
        told = f"{VERSION} header does not match the request's own protocol version"
        raise RefusedRequest(400, MISMATCH, told).of(message.get("id"))


def _check_free(session: McpSession, request_id: int | str) -> None:
    if (type(request_id), request_id) in session.running:
        raise RefusedRequest(
            400, wire.INVALID_REQUEST, "This request id is in use by a request that is not answered yet."
        )
    if len(session.running) >= MAX_CALLS:
        raise RefusedRequest(429, wire.INVALID_REQUEST, f"{MAX_CALLS} requests of this session are running.")
