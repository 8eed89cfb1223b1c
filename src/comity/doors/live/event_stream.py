"""Server-sent events: ``GET /api/v1/events``.

Each event is a block of ``id`` (its cursor), ``event`` (its type) and ``data`` (its JSON on one line). A client that
connects again with ``Last-Event-ID`` goes on after that event: the log itself is read, nothing is kept for it. The
stream's own blocks: ``ready`` at the beginning, ``gap`` when events are left out, ``shutdown`` and ``end`` at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from starlette.types import Receive, Send

from comity.doors.live.subscription import EventRange
from comity.kernel.text import cursor_at, readable
from comity.server import sse
from comity.server.bounds import PIECE_BYTES
from comity.server.feed.kinds import EventText
from comity.server.feed.listener import Batch, Beat, End, Gap, LogListener
from comity.server.feed.streams import Stream, Streams

RETRY_MS = 2000
_HEADERS = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class EventBlocks:
    """How events are framed. All are equal."""

    def frame(self, told: Sequence[EventText]) -> tuple[tuple[bytes, ...], int]:
        """Several events as pieces of a size that is fit to be sent, and how large they are together in bytes."""
        pieces: list[bytearray] = [bytearray()]
        for one in told:
            block = sse.block(one.json.encode(), event=one.event_type, event_id=cursor_at(one.position))
            if pieces[-1] and len(pieces[-1]) + len(block) > PIECE_BYTES:
                pieces.append(bytearray())
            pieces[-1] += block
        return tuple(map(bytes, pieces)), sum(map(len, pieces))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventBlocks)

    def __hash__(self) -> int:
        return hash(EventBlocks)


async def serve(streams: Streams, stream: Stream, wanted: EventRange, receive: Receive, send: Send) -> None:
    """Send events until the client goes away or the stream is ended."""
    listener = streams.listen(stream, "", EventBlocks(), wanted.filter, wanted.after, wanted.newest)
    await sse.answer(partial(_write_all, listener), sse.leaving(receive), send, _HEADERS)


async def _write_all(listener: LogListener, out: sse.EventStream) -> None:
    await out.write(sse.block(retry_ms=RETRY_MS))
    last = -1  # the position that the client knows
    ready = False
    while True:
        item = await listener.next()
        if isinstance(item, Batch):
            last = item.end
            for piece in item.payload:
                await out.write(piece)
        elif isinstance(item, Beat):
            cursor = cursor_at(item.position)
            if ready:
                await out.write(sse.block(comment="still here", event_id=cursor if item.position != last else ""))
            else:
                await out.write(_own("ready", cursor, cursor=cursor))
            last, ready = item.position, True
        elif isinstance(item, Gap):
            cursor = cursor_at(item.end)
            await out.write(_own("gap", cursor, after=cursor_at(item.start), cursor=cursor, reason=item.why))
        elif isinstance(item, End):
            await out.write(_own("shutdown" if item.why == "shutdown" else "end", "", reason=item.why))
            return


def _own(event: str, event_id: str, **data: str) -> bytes:
    """A block that tells of the stream itself."""
    return sse.block(readable(data).encode(), event=event, event_id=event_id)
