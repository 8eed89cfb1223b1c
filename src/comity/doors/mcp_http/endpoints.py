"""MCP over streamable HTTP: endpoints over dialects, and who may use which.

Requests of the handshake versions belong to a session; requests of 2026-07-28 and later come alone. Both are answered
by the protocol that also serves standard input and output. Sessions belong to whoever opened them: with another
credential, another agent's name, at another endpoint or with another tool set they are refused.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from comity.dialects.dialect import Dialect
from comity.doors.mcp_http.answers import (
    SESSION_ID,
    SOON_S,
    Stream,
    accepts,
    check_type,
    read_body,
    send_json,
    send_refusal,
)
from comity.doors.mcp_http.lone_requests import Alone
from comity.doors.mcp_http.mirrored_headers import MISMATCH, VERSION
from comity.doors.mcp_http.refusals import Refused
from comity.doors.mcp_http.resource_notices import Follower, Log, Notices
from comity.doors.mcp_http.seat import Agents
from comity.doors.mcp_http.session import STANDALONE, Session, read_message
from comity.doors.mcp_http.session_checks import LOOK_S, Lobby, Staying
from comity.doors.mcp_http.session_shares import MOST_EACH, MOST_SESSIONS, Clients
from comity.doors.mcp_http.sessions import IDLE_S, Sessions
from comity.doors.mcp_http.streams import parse
from comity.doors.mcp_http.tool_calls import Calling, Work
from comity.doors.mcp_http.visitors import Processes, Visitors
from comity.kernel.problem import Problem
from comity.mcp import wire
from comity.mcp.era import HANDSHAKE_VERSIONS, VERSION_KEY
from comity.mcp.protocol import MAX_CALLS
from comity.server.auth.principal import Principal

TIDY_LOOKS = 15  # so many looks at who may stay between two cleanings
OLD_MESSAGES = "/messages"
_OLD = {
    "deprecation": "true",
    "warning": '299 - "This transport is deprecated: use /mcp"',
    "link": '</mcp>; rel="successor-version"',
}
DEPRECATED = tuple((name.encode(), value.encode()) for name, value in _OLD.items())


class Hall(Work, Log, Processes, Lobby, Clients, Protocol):
    """What the server brings: threads to work on, the log, the agents, and whether a caller may stay."""

    @property
    def agents(self) -> Agents: ...


class Endpoint(NamedTuple):
    """One address with one set of tools. ``make`` is called when it is first asked for."""

    path: str
    tools: str
    make: Callable[[], Dialect]


class _Served:
    """An endpoint that was asked for: its calls and its subscriptions."""

    def __init__(self, endpoint: Endpoint, hall: Hall, notices: Notices) -> None:
        self.kind = f"{endpoint.path}?{endpoint.tools}"
        self.notices = notices
        self.calling = Calling(endpoint.make(), hall)


class McpHttp:
    """Every MCP endpoint of one server. Made, used and closed on its event loop."""

    def __init__(
        self,
        hall: Hall,
        endpoints: tuple[Endpoint, ...],
        *,
        idle_s: float = IDLE_S,
        most_sessions: int = MOST_SESSIONS,
        most_each: int = MOST_EACH,
    ) -> None:
        self._hall = hall
        self._endpoints = {(one.path, one.tools): one for one in endpoints}
        self._served: dict[tuple[str, str], _Served] = {}
        self._old_path = endpoints[0].path
        self._sessions = Sessions(hall, idle_s, most_sessions, most_each)
        self._follower = Follower(hall)
        self._tasks: list[asyncio.Task[None]] = []
        self._visitors = Visitors(hall)
        self._staying = Staying(hall)

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
            served = self._serve(path, tools)
            version = headers.get(VERSION)
            if version is not None and version not in HANDSHAKE_VERSIONS:
                seat = await self._visitors.seat(principal, scope)
                method, alone = scope["method"], Alone(served.calling, served.notices, seat)
                await self._staying.serve(seat, send, lambda sent: alone.answer(method, headers, receive, sent))
            elif scope["method"] == "POST":
                await self._post(served, principal, scope, receive, send)
            elif scope["method"] == "GET":
                await self._get(served, principal, headers, receive, send)
            else:
                session = self._sessions.find(served.kind, principal, headers)
                await self._sessions.end(session, "the client ended the session")
                await send_json(send, b"", None, 200)
        except Refused as refused:
            await send_refusal(send, refused)

    async def old_stream(self, tools: str, principal: Principal, scope: Scope, receive: Receive, send: Send) -> None:
        """The stream of the transport of 2024-11-05: it tells where to send messages, and carries every answer."""
        try:
            session = await self._sessions.open(self._serve(self._old_path, tools), principal, scope)
        except Refused as refused:
            await send_refusal(send, refused)
            return
        session.kind = OLD_MESSAGES
        first = f"event: endpoint\ndata: {OLD_MESSAGES}?session_id={session.session_id}\n\n".encode()
        try:
            await Stream(session, receive, send, DEPRECATED).standalone(0, first=first)
        finally:
            await self._sessions.end(session, "the client closed its stream")

    async def old_message(
        self, session_id: str | None, principal: Principal, headers: Headers, receive: Receive, send: Send
    ) -> None:
        """One message of that transport; its answer comes on the stream."""
        try:
            if not session_id:
                raise Refused(400, wire.INVALID_REQUEST, "session_id is required: GET /sse tells it.")
            session = self._sessions.get(session_id)
            if session is None or session.principal != principal or session.kind != OLD_MESSAGES:
                raise Refused(404, wire.INVALID_REQUEST, "There is no such session. GET /sse opens one.")
            check_type(headers)
            message = read_message(await read_body(receive))
            if "id" in message and "method" in message:
                _check_free(session, message["id"])
                await self._follow(session, message)
                session.begin(message, STANDALONE)
            await send_json(send, b"", None, 202, **_OLD)
            if "id" not in message:
                session.notified(message)
        except Refused as refused:
            await send_refusal(send, refused)

    async def close(self) -> None:
        """End every session and stream."""
        for served in self._served.values():
            served.notices.close()
        await self._sessions.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # -- one request

    async def _post(self, served: _Served, principal: Principal, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        if not accepts(headers, "application/json", "text/event-stream"):
            raise Refused(406, wire.INVALID_REQUEST, "Accept both application/json and text/event-stream.")
        check_type(headers)
        message = read_message(await read_body(receive))
        _check_era(headers, message)
        try:
            await self._take(served, principal, scope, message, receive, send)
        except Refused as refused:
            raise refused.of(message.get("id")) from None

    async def _take(
        self,
        served: _Served,
        principal: Principal,
        scope: Scope,
        message: dict[str, Any],
        receive: Receive,
        send: Send,
    ) -> None:
        headers, method, opened = Headers(scope=scope), message.get("method"), None
        if method == "initialize" and "id" in message:
            if headers.get(SESSION_ID):
                raise Refused(400, wire.INVALID_REQUEST, "initialize begins a session: leave Mcp-Session-Id out.")
            session = opened = await self._sessions.open(served, principal, scope)
        else:
            session = self._sessions.find(served.kind, principal, headers)
        session.used = time.monotonic()
        if method is None:
            await send_json(send, b"", session, 202)
        elif "id" not in message:
            await send_json(send, b"", session, 202)
            session.notified(message)
        else:
            await self._request(session, message, receive, send)
            if opened is not None and not opened.initialized:
                await self._sessions.end(opened, "the handshake failed")

    async def _request(self, session: Session, message: dict[str, Any], receive: Receive, send: Send) -> None:
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
            await Stream(session, receive, send).of_request(running)
        session.used = time.monotonic()

    async def _follow(self, session: Session, message: dict[str, Any]) -> None:
        """Hear of every change from now on, before a subscription to some of them is answered."""
        if message["method"] == "resources/subscribe":
            notices = self._sessions.notices_of(session)
            notices.watch(session.core, session.tell)
            await notices.wanted()

    async def _get(self, served: _Served, principal: Principal, headers: Headers, receive: Receive, send: Send) -> None:
        if not accepts(headers, "text/event-stream"):
            raise Refused(406, wire.INVALID_REQUEST, "A GET opens a stream: accept text/event-stream.")
        session = self._sessions.find(served.kind, principal, headers)
        stream = Stream(session, receive, send)
        last = headers.get("last-event-id")
        if not last:
            await stream.standalone(session.delivered)
        else:
            found = parse(last)
            if found is None or not session.streams.knows(found[0]) or found[1] > session.streams.newest:
                await stream.standalone(session.streams.newest, gap=True)
            elif found[0] == STANDALONE:
                await stream.standalone(found[1])
            else:
                await stream.resume(*found)
        session.used = time.monotonic()

    # -- beside the requests

    def _serve(self, path: str, tools: str) -> _Served:
        key = (path, tools)
        found = self._served.get(key)
        if found is None:
            endpoint = self._endpoints.get(key)
            if endpoint is None:
                sets = ", ".join(other for place, other in self._endpoints if place == path and other)
                told = f"There is no such set of tools. ?tools= takes one of: {sets}."
                raise Refused(400, wire.INVALID_REQUEST, told)
            found = self._served[key] = _Served(endpoint, self._hall, Notices())
            self._follower.serve(found.calling.dialect, found.notices)
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
        """End idle sessions and processes' agents; renew the lease of whoever listens."""
        await self._visitors.tidy()
        await self._sessions.tidy(now)


def _check_era(headers: Headers, message: dict[str, Any]) -> None:
    """Raises Refused for a request that says in itself a version that its header does not say."""
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    said = meta.get(VERSION_KEY) if isinstance(meta, dict) else None
    if said is not None and said != headers.get(VERSION):
        told = f"{VERSION} header does not match the request's own protocol version"
        raise Refused(400, MISMATCH, told).of(message.get("id"))


def _check_free(session: Session, request_id: int | str) -> None:
    if (type(request_id), request_id) in session.running:
        raise Refused(400, wire.INVALID_REQUEST, "This request id is in use by a request that is not answered yet.")
    if len(session.running) >= MAX_CALLS:
        raise Refused(429, wire.INVALID_REQUEST, f"{MAX_CALLS} requests of this session are running.")
