"""Server-sent events: ``GET /api/v1/events``.

Each event is a block of ``id`` (its cursor), ``event`` (its type) and ``data`` (its JSON on one line). A client that
connects again with ``Last-Event-ID`` goes on after that event: the log itself is read, nothing is kept for it. The
stream's own blocks: ``ready`` at the beginning, ``gap`` when events are left out, ``shutdown`` and ``end`` at the end.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.types import Receive, Send

from comity.doors.live.subscription import Wanted
from comity.server.feed.filter import Told
from comity.server.feed.listener import Batch, Beat, End, Gap, Listener
from comity.server.feed.streams import Stream, Streams

RETRY_MS = 2000
PIECE_BYTES = 16 * 1024  # what is on its way is copied for each stream, so that is kept small
_LINES = str.maketrans("\r\n\0", "   ")
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class Blocks:
    """How events are framed. All are equal."""

    def frame(self, told: Sequence[Told]) -> tuple[tuple[bytes, ...], int]:
        """Several events as pieces of a size that is fit to be sent."""
        pieces: list[bytearray] = [bytearray()]
        for one in told:
            text = f"id: {one.cursor}\nevent: {one.event_type.translate(_LINES)}\ndata: {one.json}\n\n"
            block = text.encode("utf-8", "replace")
            if pieces[-1] and len(pieces[-1]) + len(block) > PIECE_BYTES:
                pieces.append(bytearray())
            pieces[-1] += block
        return tuple(map(bytes, pieces)), sum(map(len, pieces))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Blocks)

    def __hash__(self) -> int:
        return hash(Blocks)


async def serve(
    streams: Streams, stream: Stream, wanted: Wanted, headers: Mapping[str, str], receive: Receive, send: Send
) -> None:
    """Send events until the client goes away or the stream is ended."""
    listener = streams.listen(stream, "", Blocks(), wanted.filter, wanted.cursor, wanted.newest)
    sent = [*_HEADERS, *((name.encode(), value.encode()) for name, value in headers.items())]
    await send({"type": "http.response.start", "status": 200, "headers": sent})
    sending = asyncio.ensure_future(_send(listener, send))
    leaving = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (sending, leaving):
            task.cancel()
        await asyncio.gather(sending, leaving, return_exceptions=True)


async def _send(listener: Listener, send: Send) -> None:
    await send(_body(f"retry: {RETRY_MS}\n\n".encode()))
    last = -1  # the cursor that the client knows
    ready = False
    while True:
        item = await listener.next()
        if isinstance(item, Batch):
            last = item.end
            for piece in item.payload:
                await send(_body(piece))
        elif isinstance(item, Beat):
            await send(_body(_beat(item.cursor, last) if ready else _block("ready", *_at(item.cursor))))
            last, ready = item.cursor, True
        elif isinstance(item, Gap):
            await send(_body(_block("gap", _gap(item), str(item.end))))
        elif isinstance(item, End):
            what = "shutdown" if item.why == "shutdown" else "end"
            await send(_body(_block(what, {"reason": item.why}), more=False))
            return


def _beat(cursor: int, last: int) -> bytes:
    return b": still here\n" + (b"id: %d\n\n" % cursor if cursor != last else b"\n")


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _at(cursor: int) -> tuple[dict[str, str], str]:
    return {"cursor": str(cursor)}, str(cursor)


def _gap(gap: Gap) -> dict[str, str]:
    return {"after": str(gap.start), "cursor": str(gap.end), "reason": gap.why}


def _block(event: str, data: Any, cursor: str = "") -> bytes:
    at = f"id: {cursor}\n" if cursor else ""
    return f"{at}event: {event}\ndata: {json.dumps(data)}\n\n".encode()


def _body(body: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": body, "more_body": more}
