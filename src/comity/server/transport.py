"""The transport of a listener's requests: which connection each is on, and its answer in pieces.

A listener takes a whole answer at once, however slowly it is read; pieces it takes only as they are read. So larger
answers go in pieces of one and the same body, a few at a time on each connection, and what would be held for a client
beyond its bounds is refused. A WebSocket is opened once the sweeper sees what comes in on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Generator
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from comity.kernel.problem import Limited
from comity.server import problems
from comity.server.bounds import PIECE_BYTES, Bounds
from comity.server.connection_sweeper import Sweeper
from comity.server.connections import KEY, Connection, Connections

_TRY_AGAIN = 1013  # the WebSocket's own code
_EASED = 8  # times the size of a piece
_MANY = 100  # requests on one connection
_HEALTH = "/health"
_SPARE = 4  # one part of so many is kept for connections on which nothing else runs


class Entrance:
    """The application as one listener sees it."""

    def __init__(self, app: ASGIApp, connections: Connections, sweeper: Sweeper, bounds: Bounds) -> None:
        self._app = app
        self._connections = connections
        self._sweeper = sweeper
        self._bounds = bounds
        self._unanswered = 0
        self._queued_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request or WebSocket."""
        host, port = scope.get("client") or ("", "")
        connection = self._connections.of((host, str(port)))
        scope[KEY] = connection
        connection.running += 1
        self._unanswered += 1
        socket = scope["type"] == "websocket"
        going = _Going(self, connection, send, socket=socket, bare=not socket and scope["method"] == "HEAD")
        try:
            if connection.queued_bytes and self._full(connection):
                await going.refuse(_UNREAD)
            elif self._unanswered > self._bounds.requests // 2 and self._no_room(connection, scope["path"]):
                await going.refuse(_CROWDED)
            elif socket:
                await self._socket(scope, receive, going, connection)
            else:
                await self._app(scope, receive, going.send)
        finally:
            if not going.begun:
                self._unanswered -= 1
            self._connections.left(connection)

    def _full(self, connection: Connection) -> bool:
        """Whether nothing more is begun for a client that leaves answers lying."""
        each, most = self._bounds.unread_each_bytes, self._bounds.unread_bytes
        return connection.queued_bytes > each - each // _SPARE or self._queued_bytes > most - most // _SPARE

    def _no_room(self, connection: Connection, path: str) -> bool:
        """Whether so many run that this one is refused: the more run on its connection, the sooner."""
        most = self._bounds.requests
        if path.startswith(_HEALTH):
            return False
        if self._unanswered <= most:
            return connection.running > _MANY
        return connection.running > 1 or self._unanswered > most + most // _SPARE

    async def _socket(self, scope: Scope, receive: Receive, going: _Going, connection: Connection) -> None:
        async def hearing() -> Message:
            message = await receive()
            connection.messages += message["type"] == "websocket.receive"
            return message

        try:
            if await self._sweeper.watch(connection):
                await self._app(scope, hearing, going.send)
            else:
                await going.refuse(_CROWDED)
        finally:
            self._sweeper.leave(connection)

    def begun(self) -> None:
        """One more request has its answer, or the beginning of it."""
        self._unanswered -= 1

    async def in_pieces(self, connection: Connection, start: Message | None, body: bytes, send: Send) -> None:
        """Send a larger answer. Raises Limited ``answers.unread`` before anything of it was sent."""
        size = len(body)
        self._take(connection, size)
        left = size
        loop = asyncio.get_running_loop()
        try:
            async with connection.patience() as patience:
                await _turn(connection, self._bounds.answers)
                try:
                    if start is not None:
                        await send(start)
                    step = self._step(size)
                    for at in range(0, size, step):
                        if connection.cut:
                            return
                        patience.reschedule(loop.time() + self._bounds.answer_s)
                        piece = body[at : at + step]
                        more = at + step < size
                        await send({"type": "http.response.body", "body": piece, "more_body": more})
                        left -= len(piece)
                        self._give(connection, len(piece))
                finally:
                    _next_turn(connection)
        except TimeoutError:
            if not connection.cut:
                self._sweeper.cut(connection, "unread")
        finally:
            self._give(connection, left)

    def _step(self, size: int) -> int:
        """The size of pieces: larger ones cost less, but the listener takes them unread, so only while little is."""
        among = self._connections
        if not among.swept or among.unread_bytes + among.eased_bytes + size > self._bounds.unread_bytes // _SPARE:
            return PIECE_BYTES
        among.eased_bytes += size
        return PIECE_BYTES * _EASED

    def _take(self, connection: Connection, size: int) -> None:
        bounds = self._bounds
        alone = not connection.queued_bytes
        most = bounds.unread_bytes + (bounds.unread_spare_bytes if alone else 0)
        if (
            not alone and connection.queued_bytes + size > bounds.unread_each_bytes
        ) or self._queued_bytes + size > most:
            raise _unread()
        connection.queued_bytes += size
        connection.sent_bytes += size
        self._queued_bytes += size

    def _give(self, connection: Connection, size: int) -> None:
        connection.queued_bytes -= size
        self._queued_bytes -= size


class _Going:
    """The messages of one answer on their way out. The beginning waits for the body, which may be refused."""

    __slots__ = ("_bare", "_connection", "_entrance", "_send", "_socket", "_start", "begun")

    def __init__(self, entrance: Entrance, connection: Connection, send: Send, *, socket: bool, bare: bool) -> None:
        self._socket = socket
        self._bare = bare  # nothing of its body is sent
        self._entrance = entrance
        self._connection = connection
        self._send = send
        self._start: Message | None = None
        self.begun = False

    def send(self, message: Message) -> Awaitable[None]:
        """ASGI's ``send``."""
        kind = message["type"]
        if kind == "http.response.start":
            self._start = message
            return _NOTHING
        if kind == "http.response.body":
            size = 0 if self._bare else len(message.get("body", b""))
            start = self._start
            if size > PIECE_BYTES and not message.get("more_body", False):
                return self._large(start, message["body"])
            self._connection.sent_bytes += size
            if start is not None:
                self._start = None
                self._begin()
                return self._both(start, message)
        elif kind == "websocket.send":
            self._connection.sent_bytes += len(message.get("text") or message.get("bytes") or b"")
        elif kind == "websocket.accept":
            self._begin()
        return self._send(message)

    async def refuse(self, messages: tuple[Message, Message]) -> None:
        """Answer with what was made beforehand, since so many may come at once; a WebSocket is closed."""
        if self._socket:
            await self._send({"type": "websocket.close", "code": _TRY_AGAIN})
            return
        start, body = messages
        await self._both({**start}, body)

    async def _large(self, start: Message | None, body: bytes) -> None:
        await self._entrance.in_pieces(self._connection, start, body, self._first)

    async def _first(self, message: Message) -> None:
        self._start = None
        if not self.begun:
            self._begin()
        await self._send(message)

    async def _both(self, start: Message, body: Message) -> None:
        await self._send(start)
        await self._send(body)

    def _begin(self) -> None:
        if not self.begun:
            self.begun = True
            self._entrance.begun()


class _Nothing:
    """What is awaited where nothing is to be done."""

    def __await__(self) -> Generator[Any, None, None]:
        return
        yield


_NOTHING = _Nothing()


async def _turn(connection: Connection, most: int) -> None:
    """Wait until fewer than ``most`` larger answers are being sent there; then it is one of them."""
    if connection.sending >= most:
        turn = asyncio.get_running_loop().create_future()
        connection.waiting.append(turn)
        try:
            await turn  # a writer that is done hands over the turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                _next_turn(connection)
            raise
    else:
        connection.sending += 1


def _next_turn(connection: Connection) -> None:
    while connection.waiting:
        turn = connection.waiting.popleft()
        if not turn.done():
            turn.set_result(None)
            return
    connection.sending -= 1


def _unread() -> Limited:
    return Limited(
        "answers.unread",
        "Too many large answers are on their way already.",
        "Read those first, then ask again.",
        retryAfterS=1,
    )


def _crowded() -> Limited:
    return Limited(
        "requests.too_many", "Too many requests are running.", "Wait for answers, then ask again.", retryAfterS=1
    )


def _made(problem: Limited) -> tuple[Message, Message]:
    """A refusal as the two messages of an answer."""
    answer = problems.response(problem, "")
    start = {"type": "http.response.start", "status": answer.status_code, "headers": answer.raw_headers}
    return start, {"type": "http.response.body", "body": bytes(answer.body), "more_body": False}


_UNREAD, _CROWDED = _made(_unread()), _made(_crowded())
