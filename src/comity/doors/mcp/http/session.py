"""One MCP session over HTTP: its requests, its streams, and the SDK's connection behind it.

A request runs as a task of its own, since a client that lost its connection has not cancelled it. It is answered with
plain JSON when nothing is to be said before the answer and that comes soon; else with a stream, whose messages are kept
so that the client can take it up again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import anyio
from mcp.server.connection import Connection
from mcp.server.lowlevel.server import Server
from mcp.server.runner import ServerRunner, aclose_shielded
from mcp.shared.exceptions import NoBackChannelError
from mcp.shared.jsonrpc_dispatcher import handler_exception_to_error_data, progress_token_from_params
from mcp.shared.message import ServerMessageMetadata
from mcp.shared.transport_context import TransportContext

from comity.doors.auth.principal import Principal
from comity.doors.mcp import wire
from comity.doors.mcp.http.handlers import OPTIONS, Visit
from comity.doors.mcp.http.seat import HttpSeat
from comity.doors.mcp.http.streams import Streams

STANDALONE = "g"
MOST_CALLS = 64  # at once in one session
CANCELLED = -32800
ANSWER_S = 0.5  # for the last answers of a session
_MOST_ASKED = 1000
logging.getLogger("mcp").setLevel(logging.ERROR)  # it would warn on standard error of whatever a client gets wrong
_TRANSPORT = TransportContext(kind="streamable-http", can_send_request=False)


class Session:
    """One session. Used on the event loop only."""

    def __init__(self, session_id: str, kind: str, principal: Principal, seat: HttpSeat, server: Server[Any]) -> None:
        self.session_id = session_id
        self.kind = kind  # the endpoint and tool set that it was opened at
        self.principal = principal
        self.seat = seat
        self.streams = Streams()
        self.streams.open(STANDALONE)
        self.running: dict[tuple[type, object], Running] = {}
        self.asked: OrderedDict[str, int | str] = OrderedDict()  # by stream: the request that it answers
        self.subscribed: set[str] = set()
        self.listeners = 0
        self.delivered = 0  # of the standalone stream
        self.taken_over = asyncio.Event()  # set when a newer listener has the standalone stream
        self.used = time.monotonic()
        self.over = False
        self.client = ""  # who opened it, as far as the server sees
        self.in_use = False  # whether anything was asked in it
        self._opened = 0
        self._connection = Connection.for_loop(self, session_id=session_id)
        self._runner = ServerRunner(server, self._connection, {}, init_options=_init_options(server))

    @property
    def version(self) -> str:
        """The protocol version that was agreed on."""
        return self._connection.protocol_version

    @property
    def initialized(self) -> bool:
        """Whether the handshake has begun."""
        return self._connection.client_params is not None

    def begin(self, request_id: int | str, method: str, params: dict[str, Any] | None, stream: str = "") -> Running:
        """Run a request; everything about it goes to ``stream`` if there is one."""
        running = Running(self, request_id, params)
        self.in_use = self.in_use or method != "initialize"
        running.stream = stream
        self.running[running.key] = running
        running.start(method, params)
        return running

    async def answer(self, running: Running, method: str, params: dict[str, Any] | None) -> bytes:
        """The JSON-RPC answer to a request."""
        try:
            result = await self._runner.on_request(running, method, params)
            return wire.encode({"jsonrpc": "2.0", "id": running.request_id, "result": result})
        except asyncio.CancelledError:
            return wire.error(running.request_id, CANCELLED, "Request cancelled")
        except Exception as error:  # noqa: BLE001 - the edge: the client gets no stack trace
            found = handler_exception_to_error_data(error)
            if found is None:
                asyncio.get_running_loop().call_exception_handler(
                    {"message": f"MCP {method} failed", "exception": error}
                )
                return wire.error(running.request_id, wire.INTERNAL_ERROR, "The server failed; its log says more.")
            return wire.error(running.request_id, found.code, found.message, found.data)

    async def notified(self, method: str, params: dict[str, Any] | None) -> None:
        """The client sent a notification."""
        if method == "notifications/cancelled":
            request_id = (params or {}).get("requestId")
            if not wire.is_id(request_id):
                return  # it names no request that there could be
            found = self.running.get((type(request_id), request_id))
            if found is not None:
                found.cancel()
        await self._runner.on_notify(Running(self, None, params), method, params)

    def new_stream(self, request_id: int | str) -> str:
        """The name of a stream for one request's messages."""
        self._opened += 1
        stream = f"r{self._opened}"
        self.streams.open(stream)
        self.asked[stream] = request_id
        if len(self.asked) > _MOST_ASKED:
            self.asked.popitem(last=False)
        return stream

    # -- what the SDK's connection sends outside of any request

    async def send_raw_request(self, method: str, _params: Mapping[str, Any] | None, _opts: Any = None) -> Any:
        """The server asks its clients nothing."""
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, _opts: Any = None) -> None:
        """Send a notification on the standalone stream."""
        self.tell(method, params)

    def tell(self, method: str, params: Mapping[str, Any] | None) -> None:
        """The same, for callers that are no coroutines."""
        if not self.over:
            self.streams.put(STANDALONE, _notification(method, params))

    async def close(self) -> None:
        """Stop what runs, end every stream and let go of the connection."""
        running = list(self.running.values())
        for one in running:
            one.cancel()
        if running:
            await asyncio.wait([one.task for one in running if one.task is not None], timeout=ANSWER_S)
        self.over = True
        self.streams.wake_all()
        await aclose_shielded(self._connection)


class Running:
    """One request that is being answered; the SDK's context of it (``mcp.shared.dispatcher.DispatchContext``)."""

    __slots__ = (
        "answered",
        "cancel_requested",
        "first",
        "key",
        "message_metadata",
        "progress_token",
        "request_id",
        "response",
        "session",
        "stream",
        "task",
    )
    can_send_request = False
    transport = _TRANSPORT

    def __init__(self, session: Session, request_id: int | str | None, params: dict[str, Any] | None) -> None:
        self.session = session
        self.request_id = request_id
        self.key = (type(request_id), request_id)
        self.message_metadata = ServerMessageMetadata(request_context=Visit(session.seat, session))
        self.progress_token = progress_token_from_params(params)
        self.cancel_requested = anyio.Event()
        self.stream = ""
        self.response = b""
        self.first = asyncio.Event()  # there is something to send
        self.task: asyncio.Task[None] | None = None
        self.answered = False

    def start(self, method: str, params: dict[str, Any] | None) -> None:
        """Begin."""
        self.task = asyncio.create_task(self._run(method, params))

    async def _run(self, method: str, params: dict[str, Any] | None) -> None:
        self.response = await self.session.answer(self, method, params)
        self.session.running.pop(self.key, None)
        self.session.used = time.monotonic()
        if self.stream:
            self._answer()
        self.first.set()

    def _answer(self) -> None:
        self.session.streams.put(self.stream, self.response)
        if self.stream != STANDALONE:
            self.session.streams.end(self.stream)

    def as_stream(self) -> str:
        """From now on the messages go to a stream and are kept; its name."""
        if not self.stream:
            self.stream = self.session.new_stream(self.request_id or 0)
            if self.response:
                self._answer()
        return self.stream

    def cancel(self) -> None:
        """The client does not want the answer any more, or the session is over."""
        self.cancel_requested.set()
        if self.task is not None:
            self.task.cancel()

    async def send_raw_request(self, method: str, _params: Mapping[str, Any] | None, _opts: Any = None) -> Any:
        """The server asks its clients nothing."""
        raise NoBackChannelError(method)

    async def notify(self, method: str, params: Mapping[str, Any] | None, _opts: Any = None) -> None:
        """Send a notification before the answer."""
        if self.request_id is None:
            self.session.tell(method, params)
            return
        self.session.streams.put(self.as_stream(), _notification(method, params))
        self.first.set()

    async def progress(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        """Say how far the request is, if the client wants to know."""
        if self.progress_token is None:
            return
        params: dict[str, Any] = {"progressToken": self.progress_token, "progress": progress}
        if total is not None:
            params["total"] = total
        if message is not None:
            params["message"] = message
        await self.notify("notifications/progress", params)


def read_message(body: bytes) -> dict[str, Any]:
    """One JSON-RPC message. Raises Malformed."""
    message = wire.decode(body)
    if isinstance(message, list):
        raise wire.Malformed("Send one message at a time: batches are not taken.")
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        raise wire.Malformed('A message is an object with "jsonrpc": "2.0".')
    if "id" in message and not wire.is_id(message["id"]) and "method" in message:
        raise wire.Malformed("A request id is a string or an integer; without one, leave it out.")
    method, params = message.get("method"), message.get("params")
    if method is None and ("result" in message or "error" in message):
        return message
    if not wire.is_text(method):
        raise wire.Malformed('A message has a "method".')
    if params is not None and not isinstance(params, dict):
        raise wire.Malformed("params must be an object.")
    return message


def _notification(method: str, params: Mapping[str, Any] | None) -> bytes:
    body: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if params is not None:
        body["params"] = dict(params)
    return wire.to_bytes(json.dumps(body, ensure_ascii=False, separators=(",", ":")))


def _init_options(server: Server[Any]) -> Any:
    return server.create_initialization_options(OPTIONS)
