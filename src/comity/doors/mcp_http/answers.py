"""Answers of the transport itself: JSON, refusals, and streams of server-sent events."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.types import Receive, Send

from comity.doors.mcp_http.refusals import RefusedRequest
from comity.doors.mcp_http.session import STANDALONE, McpSession, RunningCall
from comity.mcp import wire
from comity.server import sse

SOON_S = 1.0  # an answer that takes longer than this comes as a stream
RETRY_MS = 1000
SESSION_ID = "mcp-session-id"
PRIMED_SINCE = "2025-11-25"  # older clients cannot read an event without data
_ANSWER_LOST = "The answer was kept no longer. See what became of the call, then repeat it if need be."
_JSON = (b"content-type", b"application/json")
STREAM = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache, no-transform"))
Headings = tuple[tuple[bytes, bytes], ...]


def headers_of(session: McpSession | None) -> list[tuple[bytes, bytes]]:
    """What every answer of a session says: its id, and which agent it is once it is one."""
    if session is None:
        return []
    found = [(b"mcp-session-id", session.session_id.encode())]
    agent_id = session.seat.agent_id
    if agent_id and agent_id.isascii():
        found.append((b"x-comity-agent", agent_id.encode()))
    return found


async def send_json(send: Send, body: bytes, session: McpSession | None = None, status: int = 200, **more: str) -> None:
    """One JSON answer; without a body, only the status."""
    headers = headers_of(session) + [(key.replace("_", "-").encode(), value.encode()) for key, value in more.items()]
    if body:
        headers.append(_JSON)
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_refusal(send: Send, refused: RefusedRequest) -> None:
    """A refusal by the transport: a JSON-RPC error."""
    body = wire.error(refused.request_id, refused.code, refused.message)
    await send_json(send, body, None, refused.status, **refused.headers)


class SessionStream:
    """One stream of a session on its way to a client."""

    def __init__(self, session: McpSession, receive: Receive, send: Send, extra: Headings = ()) -> None:
        self._session = session
        self._receive = receive
        self._send = send
        self._extra = extra
        self._taken_over = asyncio.Event()

    async def of_request(self, running: RunningCall) -> None:
        """The messages of one request, to its answer."""
        stream = running.as_stream()
        first = []
        if self._session.version >= PRIMED_SINCE:
            first = [_primed(stream, 0)]
        await self._run(stream, 0, first)

    async def standalone(self, number: int, *, gap: bool = False, first: bytes = b"") -> None:
        """What is sent outside of any request, from a message on. An older listener gives way."""
        session = self._session
        session.taken_over.set()
        session.taken_over = self._taken_over
        session.kept.wake(STANDALONE)
        opening = [first] if first else []
        if not first and session.version >= PRIMED_SINCE:
            opening.append(_primed(STANDALONE, number))
        if gap:
            opening += gap_blocks(session, STANDALONE, number)
        await self._run(STANDALONE, number, opening or [sse.PING])

    async def resume(self, stream: str, number: int) -> None:
        """A request's messages after one that the client has."""
        await self._run(stream, number, [sse.PING])

    async def _run(self, stream: str, number: int, first: list[bytes]) -> None:
        session = self._session

        async def write_all(out: sse.EventStream) -> None:
            for part in first:
                await out.write(part)
            await self._follow(out, stream, number)

        session.listeners += 1
        try:
            head = [*STREAM, *headers_of(session), *self._extra]
            await sse.answer(write_all, sse.leaving(self._receive), self._send, head)
        finally:
            session.listeners -= 1

    async def _follow(self, out: sse.EventStream, stream: str, number: int) -> None:
        session = self._session
        self._note_sent(stream, number)
        while not self._taken_over.is_set():
            mark = session.kept.mark(stream)
            found, lost = session.kept.after(stream, number)
            if lost:
                for part in gap_blocks(session, stream, lost):
                    await out.write(part)
                number = self._note_sent(stream, lost)
            for one in found:
                await out.write(message_block(one.data, one.event_id))
                number = self._note_sent(stream, one.number)
            if lost and not found and session.kept.is_over(stream) and stream in session.asked:
                await out.write(message_block(wire.error(session.asked[stream], wire.INTERNAL_ERROR, _ANSWER_LOST)))
            if session.over or (session.kept.is_over(stream) and mark is session.kept.mark(stream)):
                return
            await out.wait(mark.wait)

    def _note_sent(self, stream: str, number: int) -> int:
        if stream == STANDALONE:
            self._session.last_sent = max(self._session.last_sent, number)
        return number


def message_block(data: bytes, event_id: str = "") -> bytes:
    """One message as an event."""
    return sse.block(data, event="message" if data else "", event_id=event_id)


def _primed(stream: str, number: int) -> bytes:
    """An event without data: it only tells the client from where on it could go on."""
    return sse.block(b"", event_id=f"{stream}-{number}", retry_ms=RETRY_MS)


def gap_blocks(session: McpSession, stream: str, lost: int) -> list[bytes]:
    """What is sent in the place of messages that are kept no longer: that they are missing, and what to read again."""
    told = {
        "reason": "stream.gap",
        "message": "Messages of this stream are missing: they were kept no longer.",
        "hint": "Read again what you follow: the resources that you subscribed to, and your messages.",
        "stream": stream,
    }
    params: dict[str, object] = {"level": "warning", "logger": "comity.gap", "data": told}
    lines = [wire.notification("notifications/message", params), *session.core.updated_all()]
    return [message_block(data, f"{stream}-{lost}") for data in lines]


def accepts(headers: Headers, *wanted: str) -> bool:
    """Whether the client takes all of these media types."""
    accepted = {part.partition(";")[0].strip().lower() for part in headers.get("accept", "").split(",")}
    return all(one in accepted or f"{one.partition('/')[0]}/*" in accepted or "*/*" in accepted for one in wanted)


def check_type(headers: Headers) -> None:
    """Raises RefusedRequest unless the body is said to be JSON."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedRequest(415, wire.INVALID_REQUEST, "The body is application/json.")


async def read_body(receive: Receive) -> bytes:
    """A request's whole body. Raises RefusedRequest."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedRequest(400, wire.INVALID_REQUEST, "The client went away.")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
