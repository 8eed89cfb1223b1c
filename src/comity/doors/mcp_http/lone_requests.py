"""Requests of MCP 2026-07-28 over HTTP: each comes alone and says in itself what a session would know.

The answer is plain JSON when it comes soon and nothing is to be said before it; else a stream of server-sent events
that ends with it. A client that closes the stream has cancelled the request. ``subscriptions/listen`` is a stream that
lasts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive, Send

from comity.doors.mcp_http import mirrored_headers
from comity.doors.mcp_http.answers import SOON_S, STREAM, accepts, check_type, message_block, read_body, send_json
from comity.doors.mcp_http.kept_messages import WaitingLines
from comity.doors.mcp_http.refusals import RefusedRequest
from comity.doors.mcp_http.seat import HttpSeat
from comity.doors.mcp_http.tool_calls import Calling
from comity.mcp import wire
from comity.mcp.era import REQUEST_VERSIONS
from comity.mcp.protocol import McpConnection
from comity.mcp.request import Begin, Call, Greet, Rejected
from comity.mcp.request import Send as Say
from comity.server import sse

_STATUS = {
    wire.PARSE_ERROR: 400,
    wire.INVALID_REQUEST: 400,
    wire.INVALID_PARAMS: 400,
    wire.METHOD_NOT_FOUND: 404,
    wire.UNSUPPORTED_PROTOCOL_VERSION: 400,
    mirrored_headers.MISMATCH: 400,
}
_STREAM = (*STREAM, (b"x-accel-buffering", b"no"))
_LISTEN = "subscriptions/listen"


class Alone:
    """One request without a session."""

    def __init__(self, calling: Calling, seat: HttpSeat) -> None:
        self._calling = calling
        self._seat = seat
        self._core = McpConnection(calling.dialect, alone=True)
        self._lines = WaitingLines(self._core.updated_all)
        self._answer = b""

    async def answer(self, method: str, headers: Headers, receive: Receive, send: Send) -> None:
        """Answer it. Raises RefusedRequest."""
        if method != "POST":
            raise RefusedRequest(405, wire.INVALID_REQUEST, "A request of this version is a POST.", allow="POST")
        if not accepts(headers, "application/json", "text/event-stream"):
            raise RefusedRequest(406, wire.INVALID_REQUEST, "Accept both application/json and text/event-stream.")
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
                answer = self._calling.answer(self._core, action.call, self._seat, self._lines.put)
                if isinstance(answer, bytes):
                    await _send_answer(send, self._core.settle(action.call, answer) or b"")
                    return
                answering = asyncio.create_task(self._run(action.call, answer))
        assert answering is not None, "a request is answered at once or begun"
        leaving = sse.leaving(receive)
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

        async def write_all(out: sse.EventStream) -> None:
            for line in lines:
                await out.write(message_block(line))
            while (more := await out.wait(self._lines.get)) is not None:
                await out.write(message_block(more))

        await sse.answer(write_all, leaving, send, _STREAM)

    async def _run(self, call: Call, answer: Coroutine[Any, Any, bytes]) -> None:
        self._answer = self._core.settle(call, await answer) or b""
        self._lines.put(self._answer)
        self._lines.put(None)

    async def _listen(self, message: dict[str, Any], receive: Receive, send: Send) -> None:
        said = [action.line for action in self._core.take(message) if isinstance(action, Say | Greet)]
        if not self._core.listening:
            await _send_answer(send, said[0])
            return
        leaving = sse.leaving(receive)
        try:
            await self._calling.notices.watch(self._core, self._lines.put)
            await self._stream(leaving, send, said)
        finally:
            self._calling.notices.forget(self._core)
            leaving.cancel()
            await asyncio.gather(leaving, return_exceptions=True)


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
    except wire.MalformedMessage as bad:
        raise RefusedRequest(400, wire.PARSE_ERROR, str(bad)) from None
    if not isinstance(message, dict) or not isinstance(message.get("method"), str):
        refused = RefusedRequest(400, wire.INVALID_REQUEST, "The body is one JSON-RPC request or notification.")
        raise refused.of(message.get("id") if isinstance(message, dict) else None)
    return message


def _require_version(headers: Headers) -> None:
    version = headers.get(mirrored_headers.VERSION, "")
    if version not in REQUEST_VERSIONS:
        raise RefusedRequest(400, wire.UNSUPPORTED_PROTOCOL_VERSION, f"There is no MCP version {version[:40]!r} here.")
