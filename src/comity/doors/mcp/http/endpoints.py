"""MCP over streamable HTTP: endpoints over dialects, their sessions, and who may use which.

Requests of the handshake versions belong to a session; requests of 2026-07-28 and later come alone and are served by
the SDK's own entry. Sessions belong to whoever opened them: with another credential, another agent's name, at another
endpoint or with another tool set they are refused.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from comity.doors.auth.principal import Principal
from comity.doors.mcp import wire
from comity.doors.mcp.dialect import Dialect
from comity.doors.mcp.http.answers import SESSION_ID, Refused, Stream, send_json, send_refusal
from comity.doors.mcp.http.handlers import VISIT, Handlers, Visit, Work
from comity.doors.mcp.http.notices import Follower, Log, Notices
from comity.doors.mcp.http.seat import Agents, HttpSeat
from comity.doors.mcp.http.session import ANSWER_S, MOST_CALLS, STANDALONE, Session, read_message
from comity.doors.mcp.http.shares import MOST_EACH, MOST_SESSIONS, Clients, to_forget
from comity.doors.mcp.http.staying import LOOK_S, Lobby, Staying
from comity.doors.mcp.http.streams import parse
from comity.doors.mcp.http.visitors import Processes, Visitors
from comity.kernel.problem import Problem

IDLE_S = 30 * 60.0  # without a request or an open stream, after which a session is forgotten
SOON_S = 1.0  # an answer that takes longer than this comes as a stream
TIDY_LOOKS = 15  # so many looks at who may stay between two cleanings
VERSION = "mcp-protocol-version"
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
    """An endpoint that was asked for: one server of the SDK, and its subscriptions."""

    def __init__(self, endpoint: Endpoint, hall: Hall, notices: Notices, max_body_bytes: int) -> None:
        self.kind = f"{endpoint.path}?{endpoint.tools}"
        self.notices = notices
        self.server: Server[Any] = Handlers(endpoint.make(), hall, notices).server()
        self.alone = StreamableHTTPSessionManager(
            self.server, max_request_body_size=max_body_bytes, session_idle_timeout=None
        )


class McpHttp:
    """Every MCP endpoint of one server. ``start`` and ``close`` on its event loop."""

    def __init__(
        self,
        hall: Hall,
        endpoints: tuple[Endpoint, ...],
        *,
        max_body_bytes: int,
        idle_s: float = IDLE_S,
        most_sessions: int = MOST_SESSIONS,
        most_each: int = MOST_EACH,
    ) -> None:
        self._hall = hall
        self._endpoints = {(one.path, one.tools): one for one in endpoints}
        self._served: dict[tuple[str, str], _Served] = {}
        self._notices = {key: Notices() for key in self._endpoints}
        self._max_body_bytes = max_body_bytes
        self._idle_s = idle_s
        self._most, self._most_each = most_sessions, most_each
        self._old_path = endpoints[0].path
        self._sessions: dict[str, Session] = {}
        self._acted: set[str] = set()  # agents that did something in a session that is over, and have another
        self._follower = Follower(hall, list(self._notices.values()))
        self._tasks: list[asyncio.Task[None]] = []
        self._visitors = Visitors(hall)
        self._staying = Staying(hall)
        self._starting = asyncio.Lock()
        self._over = asyncio.Event()

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
            served = await self._serve(path, tools)
            version = headers.get(VERSION)
            if version is not None and version not in HANDSHAKE_PROTOCOL_VERSIONS:
                seat = await self._visitors.seat(principal, scope)
                shown = {**scope, VISIT: Visit(seat)}
                alone = served.alone
                await self._staying.serve(seat, send, lambda sent: alone.handle_request(shown, receive, sent))
            elif scope["method"] == "POST":
                await self._post(served, principal, scope, receive, send)
            elif scope["method"] == "GET":
                await self._get(served, principal, headers, receive, send)
            else:
                session = self._session(served.kind, principal, headers)
                await self._end(session, "the client ended the session")
                await send_json(send, b"", None, 200)
        except Refused as refused:
            await send_refusal(send, refused)

    async def old_stream(self, tools: str, principal: Principal, scope: Scope, receive: Receive, send: Send) -> None:
        """The stream of the transport of 2024-11-05: it tells where to send messages, and carries every answer."""
        try:
            session = await self._open(await self._serve(self._old_path, tools), principal, scope)
        except Refused as refused:
            await send_refusal(send, refused)
            return
        session.kind = OLD_MESSAGES
        first = f"event: endpoint\ndata: {OLD_MESSAGES}?session_id={session.session_id}\n\n".encode()
        try:
            await Stream(session, receive, send, DEPRECATED).standalone(0, first=first)
        finally:
            await self._end(session, "the client closed its stream")

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
            _check_type(headers)
            message = _message(await read_body(receive))
            if "id" in message and "method" in message:
                _check_free(session, message["id"])
                session.begin(message["id"], message["method"], message.get("params"), STANDALONE)
            await send_json(send, b"", None, 202, **_OLD)
            if "id" not in message:
                await session.notified(message.get("method", ""), message.get("params"))
        except Refused as refused:
            await send_refusal(send, refused)

    async def close(self) -> None:
        """End every session and stream."""
        self._over.set()
        for served in self._served.values():
            served.notices.close()
        sessions = list(self._sessions.values())
        running = [one.task for session in sessions for one in session.running.values() if one.task is not None]
        if running:
            await asyncio.wait(running, timeout=ANSWER_S)
        await asyncio.gather(*(session.close() for session in sessions))
        self._sessions.clear()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=1)

    # -- one request

    async def _post(self, served: _Served, principal: Principal, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        _check_headers(headers)
        message = _message(await read_body(receive))
        method = message.get("method")
        opened = None
        if method == "initialize" and "id" in message:
            if headers.get(SESSION_ID):
                raise Refused(400, wire.INVALID_REQUEST, "initialize begins a session: leave Mcp-Session-Id out.")
            session = opened = await self._open(served, principal, scope)
        else:
            session = self._session(served.kind, principal, headers)
        session.used = time.monotonic()
        if method is None:
            await send_json(send, b"", session, 202)
        elif "id" not in message:
            await send_json(send, b"", session, 202)
            await session.notified(method, message.get("params"))
        else:
            await self._request(session, message, receive, send)
            if opened is not None and not opened.initialized:
                await self._end(opened, "the handshake failed")

    async def _request(self, session: Session, message: dict[str, Any], receive: Receive, send: Send) -> None:
        _check_free(session, message["id"])
        running = session.begin(message["id"], message["method"], message.get("params"))
        try:
            async with asyncio.timeout(SOON_S):
                await running.first.wait()
        except TimeoutError:
            pass
        if running.response and not running.stream:
            await send_json(send, running.response, session)
        else:
            await Stream(session, receive, send).of_request(running)
        session.used = time.monotonic()

    async def _get(self, served: _Served, principal: Principal, headers: Headers, receive: Receive, send: Send) -> None:
        if not accepts(headers, "text/event-stream"):
            raise Refused(406, wire.INVALID_REQUEST, "A GET opens a stream: accept text/event-stream.")
        session = self._session(served.kind, principal, headers)
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

    # -- sessions

    async def _open(self, served: _Served, principal: Principal, scope: Scope) -> Session:
        client = await self._hall.client_of(scope, principal)
        least = to_forget(self._sessions.values(), client, self._most, self._most_each)
        if least is not None:
            await self._end(least, "nothing was asked in it, and its place is needed")
        session_id = secrets.token_hex(16)
        seat = HttpSeat(self._hall.agents, principal, lasting=True)
        session = self._sessions[session_id] = Session(session_id, served.kind, principal, seat, served.server)
        session.client = client
        return session

    def _session(self, kind: str, principal: Principal, headers: Headers) -> Session:
        """The session that a request belongs to. Raises Refused."""
        session_id = headers.get(SESSION_ID)
        if not session_id:
            raise Refused(
                400, wire.INVALID_REQUEST, "Send initialize first, then its Mcp-Session-Id with each request."
            )
        session = self._sessions.get(session_id)
        if session is None or session.over or session.principal != principal:
            raise Refused(404, wire.INVALID_REQUEST, "There is no such session. Send initialize to open another.")
        if session.kind != kind:
            raise Refused(409, wire.INVALID_REQUEST, "This session was opened at another address or with other tools.")
        version = headers.get(VERSION)
        if version is not None and session.initialized and version != session.version:
            raise Refused(400, wire.INVALID_REQUEST, f"This session speaks MCP {session.version}, not {version}.")
        return session

    async def _end(self, session: Session, reason: str) -> None:
        """Forget a session; its agent leaves when this was the last one."""
        self._sessions.pop(session.session_id, None)
        for served in self._served.values():
            served.notices.forget(session)
        await session.close()
        agent_id = session.seat.agent_id
        if agent_id and session.seat.bound is not None:
            self._acted.add(agent_id)
        if agent_id in self._acted and not any(one.seat.agent_id == agent_id for one in self._sessions.values()):
            self._acted.discard(agent_id)
            await self._hall.work(lambda: session.seat.end(reason))

    # -- beside the requests

    async def _serve(self, path: str, tools: str) -> _Served:
        key = (path, tools)
        found = self._served.get(key)
        if found is not None:
            return found
        endpoint = self._endpoints.get(key)
        if endpoint is None:
            sets = ", ".join(other for place, other in self._endpoints if place == path and other)
            raise Refused(400, wire.INVALID_REQUEST, f"There is no such set of tools. ?tools= takes one of: {sets}.")
        async with self._starting:
            if key not in self._served:
                served = _Served(endpoint, self._hall, self._notices[key], self._max_body_bytes)
                ready = asyncio.Event()
                self._tasks.append(asyncio.create_task(self._run(served, ready)))
                await ready.wait()
                self._served[key] = served
                if len(self._served) == 1:
                    self._tasks += [
                        asyncio.create_task(self._until_over(self._follower.run())),
                        asyncio.create_task(self._until_over(self._keep_house())),
                    ]
        return self._served[key]

    async def _run(self, served: _Served, ready: asyncio.Event) -> None:
        async with served.alone.run():
            ready.set()
            await self._over.wait()

    async def _until_over(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        await asyncio.wait([task, asyncio.ensure_future(self._over.wait())], return_when=asyncio.FIRST_COMPLETED)
        task.cancel()

    async def _keep_house(self) -> None:
        looks = 0
        while True:
            await asyncio.sleep(LOOK_S)
            looks += 1
            with suppress(Problem):  # the database is locked or away: at the next look
                await self._staying.look(list(self._sessions.values()), self._end)
                if looks % TIDY_LOOKS == 0:
                    await self.tidy(time.monotonic())

    async def tidy(self, now: float) -> None:
        """End idle sessions; renew the lease of whoever listens."""
        await self._visitors.tidy()
        for session in list(self._sessions.values()):
            if session.listeners:
                await self._hall.work(session.seat.renew)
            elif not session.running and now - session.used >= self._idle_s:
                await self._end(session, "the session was idle")


def accepts(headers: Headers, *wanted: str) -> bool:
    """Whether the client takes all of these media types."""
    accepted = {part.partition(";")[0].strip().lower() for part in headers.get("accept", "").split(",")}
    return all(one in accepted or f"{one.partition('/')[0]}/*" in accepted or "*/*" in accepted for one in wanted)


async def read_body(receive: Receive) -> bytes:
    """A request's whole body."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, wire.INVALID_REQUEST, "The client went away.")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)


def _check_headers(headers: Headers) -> None:
    if not accepts(headers, "application/json", "text/event-stream"):
        raise Refused(406, wire.INVALID_REQUEST, "Accept both application/json and text/event-stream.")
    _check_type(headers)


def _check_free(session: Session, request_id: int | str) -> None:
    if (type(request_id), request_id) in session.running:
        raise Refused(400, wire.INVALID_REQUEST, "This request id is in use by a request that is not answered yet.")
    if len(session.running) >= MOST_CALLS:
        raise Refused(429, wire.INVALID_REQUEST, f"{MOST_CALLS} requests of this session are running.")


def _check_type(headers: Headers) -> None:
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, wire.INVALID_REQUEST, "The body is application/json.")


def _message(body: bytes) -> dict[str, Any]:
    try:
        return read_message(body)
    except wire.Malformed as bad:
        code = wire.PARSE_ERROR if not _is_json(body) else wire.INVALID_REQUEST
        raise Refused(400, code, str(bad)) from None


def _is_json(body: bytes) -> bool:
    try:
        wire.decode(body)
    except wire.Malformed:
        return False
    return True
