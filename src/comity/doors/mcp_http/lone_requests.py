"""Requests of MCP 2026-07-28 over HTTP: each comes alone and says in itself what a session would know.

The answer is plain JSON when it comes soon and nothing is to be said before it; else a stream of server-sent events
that ends with it. Whoever closes the stream has cancelled the request. ``subscriptions/listen`` is a stream that lasts.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive, Send

from comity.doors.mcp_http import mirrored_headers
from comity.doors.mcp_http.answers import PING_S, SOON_S, accepts, check_type, read_body, send_json
from comity.doors.mcp_http.refusals import Refused
from comity.doors.mcp_http.resource_notices import Notices
from comity.doors.mcp_http.seat import HttpSeat
from comity.doors.mcp_http.streams import PING, frame
from comity.doors.mcp_http.tool_calls import Calling
from comity.mcp import wire
from comity.mcp.era import REQUEST_VERSIONS
from comity.mcp.protocol import Session as Core
from comity.mcp.request import Begin, Call, Greet, Rejected
from comity.mcp.request import Send as Say

_STATUS = {
    wire.PARSE_ERROR: 400,
    wire.INVALID_REQUEST: 400,
    wire.INVALID_PARAMS: 400,
    wire.METHOD_NOT_FOUND: 404,
    wire.UNSUPPORTED_PROTOCOL_VERSION: 400,
    mirrored_headers.MISMATCH: 400,
}
_STREAM = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_LISTEN = "subscriptions/listen"


class Alone:
    """One request without a session."""

    def __init__(self, calling: Calling, notices: Notices, seat: HttpSeat) -> None:
        self._calling = calling
        self._notices = notices
        self._seat = seat
        self._core = Core(calling.dialect, alone=True)
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()  # None: nothing more comes
        self._answer = b""

    async def answer(self, method: str, headers: Headers, receive: Receive, send: Send) -> None:
        """Answer it. Raises Refused."""
        if method != "POST":
            raise Refused(405, wire.INVALID_REQUEST, "A request of this version is a POST.", allow="POST")
        if not accepts(headers, "application/json", "text/event-stream"):
            raise Refused(406, wire.INVALID_REQUEST, "Accept both application/json and text/event-stream.")
        check_type(headers)
        message = _message(await read_body(receive))
        if "id" not in message:
            _require_version(headers)
            await send_json(send, b"", None, 202)
            return
        request_id = message["id"] if wire.is_id(message["id"]) else None
        try:
            mirrored_headers.check(headers, message, self._schema(message))
        except Rejected as no:
            await _send_error(send, wire.error(request_id, no.code, no.message, no.data), no.code)
            return
        if message.get("method") == _LISTEN:
            await self._listen(message, receive, send)
        else:
            await self._once(message, receive, send)

    def _schema(self, message: dict[str, Any]) -> object:
        params = message.get("params")
        return self._calling.schemas.get(str(params.get("name"))) if isinstance(params, dict) else None

    async def _once(self, message: dict[str, Any], receive: Receive, send: Send) -> None:
        answering: asyncio.Task[None] | None = None
        for action in self._core.take(message):
            if isinstance(action, Say | Greet):
                await _send_answer(send, action.line)
                return
            if isinstance(action, Begin):
                answering = asyncio.create_task(self._run(action.call))
        assert answering is not None, "a request is answered at once or begun"
        leaving = asyncio.create_task(_left(receive))
        try:
            first = asyncio.create_task(self._lines.get())
            await asyncio.wait([first, leaving], timeout=SOON_S, return_when=asyncio.FIRST_COMPLETED)
            line = first.result() if first.done() else None
            if line is None:
                first.cancel()
            elif line is self._answer:
                await _send_answer(send, line)
                return
            await self._stream(leaving, send, [line] if line is not None else [])
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    async def _stream(self, leaving: asyncio.Task[None], send: Send, lines: list[bytes]) -> None:
        """Send these lines and what follows, until the last one or until the client is gone."""
        await send({"type": "http.response.start", "status": 200, "headers": _STREAM})
        for line in lines:
            await _send_part(send, frame(line))
        while not leaving.done():
            taking = asyncio.create_task(self._lines.get())
            await asyncio.wait([taking, leaving], timeout=PING_S, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                taking.cancel()
                await _send_part(send, PING)
                continue
            more = taking.result()
            if more is None:
                break
            await _send_part(send, frame(more))
        with suppress(OSError, RuntimeError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _run(self, call: Call) -> None:
        try:
            answer = await self._calling.answer(self._core, call, self._seat, self._lines.put_nowait)
        except asyncio.CancelledError:
            call.cancelled.set()
            raise
        self._answer = self._core.settle(call, answer) or b""
        self._lines.put_nowait(self._answer)
        self._lines.put_nowait(None)

    async def _listen(self, message: dict[str, Any], receive: Receive, send: Send) -> None:
        said = [action.line for action in self._core.take(message) if isinstance(action, Say | Greet)]
        if not self._core.listening:
            await _send_answer(send, said[0])
            return
        leaving = asyncio.create_task(_left(receive))
        watcher = self._notices.watch(self._core, self._lines.put_nowait)
        try:
            await self._notices.wanted()
            await self._stream(leaving, send, said)
        finally:
            watcher.forget()
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send_part(send: Send, part: bytes) -> None:
    await send({"type": "http.response.body", "body": part, "more_body": True})


async def _send_answer(send: Send, line: bytes) -> None:
    error = wire.decode(line).get("error") if line.startswith(_ERROR_BEGINS) and b'"error":' in line else None
    code = error.get("code") if isinstance(error, dict) else None
    await send_json(send, line, None, _STATUS.get(code, 200) if isinstance(code, int) else 200)


_ERROR_BEGINS = b'{"jsonrpc":"2.0","id":'


async def _send_error(send: Send, line: bytes, code: int) -> None:
    await send_json(send, line, None, _STATUS.get(code, 200))


def _message(body: bytes) -> dict[str, Any]:
    try:
        message = wire.decode(body)
    except wire.Malformed as bad:
        raise Refused(400, wire.PARSE_ERROR, str(bad)) from None
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        refused = Refused(400, wire.INVALID_REQUEST, "The body is one JSON-RPC request or notification.")
        raise refused.of(message.get("id") if isinstance(message, dict) else None)
    return message


def _require_version(headers: Headers) -> None:
    version = headers.get(mirrored_headers.VERSION, "")
    if version not in REQUEST_VERSIONS:
        raise Refused(400, wire.UNSUPPORTED_PROTOCOL_VERSION, f"There is no MCP version {version[:40]!r} here.")
