"""One MCP session over HTTP: its requests, and the streams on which they are answered.

The protocol itself is ``mcp.protocol``, the same as over standard input and output. A request runs as a task of its
own, since a client that lost its connection has not cancelled it. It is answered with plain JSON when nothing is to be
said before the answer and that comes soon; else with a stream, whose messages are kept so that the client can take it
up again.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any

from comity.doors.mcp_http.kept_messages import KeptMessages
from comity.doors.mcp_http.refusals import RefusedRequest
from comity.doors.mcp_http.seat import HttpSeat
from comity.doors.mcp_http.tool_calls import Calling
from comity.mcp import wire
from comity.mcp.protocol import McpConnection
from comity.mcp.request import Action, Begin, Call, Greet, Send, Stop
from comity.server.auth.principal import Principal

STANDALONE = "g"
CANCELLED = -32800
ANSWER_S = 0.5  # for the last answers of a session
_MOST_ASKED = 1000
_SHAPE = 'A message is an object with "jsonrpc": "2.0".'


class McpSession:
    """One session. Used on the event loop only."""

    def __init__(self, session_id: str, seat: HttpSeat, calling: Calling, client: str) -> None:
        self.session_id = session_id
        self.kind = calling.kind  # the endpoint and tool set that it was opened at
        self.seat = seat
        self.principal: Principal = seat.principal
        self.client = client  # whose it is, among all who open sessions
        self.in_use = False  # something was asked in it
        self.core = McpConnection(calling.dialect)
        self.kept = KeptMessages()
        self.kept.open(STANDALONE)
        self.running: dict[tuple[type, object], RunningCall] = {}
        self.asked: OrderedDict[str, int | str] = OrderedDict()  # by stream: the request that it answers
        self.listeners = 0
        self.last_sent = 0  # number of a message of the standalone stream
        self.taken_over = asyncio.Event()  # set when a newer listener has the standalone stream
        self.used = time.monotonic()
        self.over = False
        self.calling = calling
        self._opened = 0

    @property
    def version(self) -> str:
        """The protocol version that was agreed on."""
        return self.core.version

    @property
    def initialized(self) -> bool:
        """Whether the handshake has begun."""
        return bool(self.core.version)

    def begin(self, message: dict[str, Any], stream: str = "") -> RunningCall:
        """Run a request; everything about it goes to ``stream`` if there is one."""
        self.in_use = self.in_use or message["method"] != "initialize"
        running = RunningCall(self, message["id"], stream)
        self.running[running.key] = running
        for action in self.core.take(message):
            if isinstance(action, Send | Greet):
                running.finish(action.line)
            elif isinstance(action, Begin):
                running.start(action.call)
        return running

    def notified(self, message: dict[str, Any]) -> None:
        """The client sent a notification."""
        self._stop(self.core.take(message))

    def _stop(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Stop):
                action.call.cancelled.set()
                found = self.running.get(action.call.key)
                if found is not None:
                    found.cancel()

    def new_stream(self, request_id: int | str) -> str:
        """The name of a stream for one request's messages."""
        self._opened += 1
        stream = f"r{self._opened}"
        self.kept.open(stream)
        self.asked[stream] = request_id
        if len(self.asked) > _MOST_ASKED:
            self.asked.popitem(last=False)
        return stream

    def tell(self, line: bytes | None) -> None:
        """Send a notification on the standalone stream; None: nothing more comes of its kind."""
        if line is not None and not self.over:
            self.kept.put(STANDALONE, line)

    async def close(self) -> None:
        """Stop what runs and end every stream."""
        running = list(self.running.values())
        for one in running:
            one.cancel()
        if running:
            await asyncio.wait([one.task for one in running if one.task is not None], timeout=ANSWER_S)
        self.over = True
        self.kept.wake_all()


class RunningCall:
    """One request that is being answered."""

    __slots__ = ("first", "key", "request_id", "response", "session", "stream", "task")

    def __init__(self, session: McpSession, request_id: int | str, stream: str) -> None:
        self.session = session
        self.request_id = request_id
        self.key = (type(request_id), request_id)
        self.stream = stream
        self.response = b""
        self.first = asyncio.Event()  # there is something to send
        self.task: asyncio.Task[None] | None = None

    def start(self, call: Call) -> None:
        """Answer a call, or begin to."""
        session = self.session
        answer = session.calling.answer(session.core, call, session.seat, self.tell)
        if isinstance(answer, bytes):
            self._settle(call, answer)
        else:
            self.task = asyncio.create_task(self._run(call, answer))

    async def _run(self, call: Call, answer: Coroutine[Any, Any, bytes]) -> None:
        try:
            self._settle(call, await answer)
        except asyncio.CancelledError:
            self._settle(call, b"")

    def _settle(self, call: Call, answer: bytes) -> None:
        said = self.session.core.settle(call, answer)
        self.finish(said or wire.error(self.request_id, CANCELLED, "Request cancelled"))

    def finish(self, response: bytes) -> None:
        """Answer with these bytes."""
        self.response = response
        self.session.running.pop(self.key, None)
        self.session.used = time.monotonic()
        if self.stream:
            self._answer()
        self.first.set()

    def _answer(self) -> None:
        self.session.kept.put(self.stream, self.response)
        if self.stream != STANDALONE:
            self.session.kept.end(self.stream)

    def as_stream(self) -> str:
        """From now on the messages go to a stream and are kept; its name."""
        if not self.stream:
            self.stream = self.session.new_stream(self.request_id)
            if self.response:
                self._answer()
        return self.stream

    def cancel(self) -> None:
        """The client does not want the answer any more, or the session is over."""
        if self.task is not None:
            self.task.cancel()

    def tell(self, line: bytes) -> None:
        """Send a notification before the answer."""
        self.session.kept.put(self.as_stream(), line)
        self.first.set()


def read_message(body: bytes) -> dict[str, Any]:
    """One JSON-RPC message. Raises RefusedRequest."""
    try:
        message = wire.decode(body)
    except wire.MalformedMessage as bad:
        raise RefusedRequest(400, wire.PARSE_ERROR, str(bad)) from None
    if isinstance(message, list):
        raise RefusedRequest(400, wire.INVALID_REQUEST, "Send one message at a time: batches are not taken.")
    if not isinstance(message, dict):
        raise RefusedRequest(400, wire.INVALID_REQUEST, _SHAPE)
    method, params = message.get("method"), message.get("params")
    if message.get("jsonrpc") != "2.0":
        raise RefusedRequest(400, wire.INVALID_REQUEST, _SHAPE).of(message.get("id"))
    if method is None and ("result" in message or "error" in message):
        return message
    if "id" in message and not wire.is_id(message["id"]):
        raise RefusedRequest(
            400, wire.INVALID_REQUEST, "A request id is a string or an integer; without one, leave it out."
        )
    if not wire.is_text(method):
        raise RefusedRequest(400, wire.INVALID_REQUEST, 'A message has a "method".').of(message.get("id"))
    if params is not None and not isinstance(params, dict):
        raise RefusedRequest(400, wire.INVALID_REQUEST, "params must be an object.").of(message.get("id"))
    return message
