"""What the transport itself answers: JSON, refusals, and streams of server-sent events."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive, Send

from comity.doors.mcp_http.refusals import Refused
from comity.doors.mcp_http.session import STANDALONE, Running, Session
from comity.doors.mcp_http.streams import PING, Kept, frame
from comity.mcp import wire

PING_S = 15.0
SOON_S = 1.0  # an answer that takes longer than this comes as a stream
RETRY_MS = 1000
SESSION_ID = "mcp-session-id"
PRIMED_SINCE = "2025-11-25"  # older clients cannot read an event without data
_ANSWER_LOST = "The answer was kept no longer. See what became of the call, then repeat it if need be."
_JSON = (b"content-type", b"application/json")
_STREAM = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache, no-transform"))


def headers_of(session: Session | None) -> list[tuple[bytes, bytes]]:
    """What every answer of a session says: its id, and which agent it is once it is one."""
    if session is None:
        return []
    found = [(b"mcp-session-id", session.session_id.encode())]
    agent_id = session.seat.agent_id
    if agent_id and agent_id.isascii():
        found.append((b"x-comity-agent", agent_id.encode()))
    return found


async def send_json(send: Send, body: bytes, session: Session | None = None, status: int = 200, **more: str) -> None:
    """One JSON answer; without a body, only the status."""
    headers = headers_of(session) + [(key.replace("_", "-").encode(), value.encode()) for key, value in more.items()]
    if body:
        headers.append(_JSON)
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def send_refusal(send: Send, refused: Refused) -> None:
    """A refusal by the transport: a JSON-RPC error."""
    body = wire.error(refused.request_id, refused.code, refused.message)
    await send_json(send, body, None, refused.status, **refused.headers)


class Stream:
    """One stream of a session on its way to a client."""

    def __init__(self, session: Session, receive: Receive, send: Send, extra: Any = ()) -> None:
        self._session = session
        self._receive = receive
        self._send = send
        self._extra = list(extra)
        self._gone = asyncio.Event()

    async def of_request(self, running: Running) -> None:
        """The messages of one request, to its answer."""
        stream = running.as_stream()
        first = []
        if self._session.version >= PRIMED_SINCE:
            first = [frame(b"", f"{stream}-0", RETRY_MS)]
        await self._run(stream, 0, first)

    async def standalone(self, number: int, *, gap: bool = False, first: bytes = b"") -> None:
        """What is sent outside of any request, from a message on. An older listener gives way."""
        session = self._session
        session.taken_over.set()
        session.taken_over = self._gone = asyncio.Event()
        opening = [first] if first else []
        if not first and session.version >= PRIMED_SINCE:
            opening.append(frame(b"", f"{STANDALONE}-{number}", RETRY_MS))
        if gap:
            opening += gap_frames(session, STANDALONE, number)
        await self._run(STANDALONE, number, opening or [PING])

    async def resume(self, stream: str, number: int) -> None:
        """A request's messages after one that the client has."""
        await self._run(stream, number, [PING])

    async def _run(self, stream: str, number: int, first: list[bytes]) -> None:
        session = self._session
        await self._send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [*_STREAM, *headers_of(session), *self._extra],
            }
        )
        session.listeners += 1
        watching = asyncio.create_task(self._watch())
        try:
            for part in first:
                await self._body(part)
            await self._follow(stream, number)
            with suppress(OSError, RuntimeError):
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            session.listeners -= 1
            watching.cancel()

    async def _follow(self, stream: str, number: int) -> None:
        session = self._session
        while not self._gone.is_set():
            mark = session.streams.mark(stream)
            kept, lost = session.streams.after(stream, number)
            if lost:
                number = lost
                for part in gap_frames(session, stream, lost):
                    await self._body(part)
            for one in kept:
                await self._body(_sent(one))
                number = one.number
            if lost and not kept and session.streams.is_over(stream) and stream in session.asked:
                await self._body(frame(wire.error(session.asked[stream], wire.INTERNAL_ERROR, _ANSWER_LOST)))
            if stream == STANDALONE:
                session.delivered = max(session.delivered, number)
            if session.over or (session.streams.is_over(stream) and mark is session.streams.mark(stream)):
                return
            await self._wait(mark)

    async def _wait(self, mark: asyncio.Event) -> None:
        """Until there is more, or the client or the session is gone; meanwhile show that the server lives."""
        waiting = [asyncio.create_task(mark.wait()), asyncio.create_task(self._gone.wait())]
        try:
            while True:
                done, _ = await asyncio.wait(waiting, timeout=PING_S, return_when=asyncio.FIRST_COMPLETED)
                if done:
                    return
                await self._body(PING)
        finally:
            for task in waiting:
                task.cancel()

    async def _watch(self) -> None:
        """See the client go."""
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._gone.set()

    async def _body(self, part: bytes) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": True})


def _sent(kept: Kept) -> bytes:
    return frame(kept.data, kept.event_id)


def gap_frames(session: Session, stream: str, lost: int) -> list[bytes]:
    """What is sent in the place of messages that are kept no longer: that they are missing, and what to read again."""
    told = {
        "reason": "stream.gap",
        "message": "Messages of this stream are missing: they were kept no longer.",
        "hint": "Read again what you follow: the resources that you subscribed to, and your messages.",
        "stream": stream,
    }
    params: dict[str, object] = {"level": "warning", "logger": "comity.gap", "data": told}
    frames = [wire.notification("notifications/message", params), *session.core.updated_all()]
    return [frame(data, f"{stream}-{lost}") for data in frames]


def accepts(headers: Headers, *wanted: str) -> bool:
    """Whether the client takes all of these media types."""
    accepted = {part.partition(";")[0].strip().lower() for part in headers.get("accept", "").split(",")}
    return all(one in accepted or f"{one.partition('/')[0]}/*" in accepted or "*/*" in accepted for one in wanted)


def check_type(headers: Headers) -> None:
    """Raises Refused unless the body is said to be JSON."""
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, wire.INVALID_REQUEST, "The body is application/json.")


async def read_body(receive: Receive) -> bytes:
    """A request's whole body. Raises Refused."""
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, wire.INVALID_REQUEST, "The client went away.")
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
