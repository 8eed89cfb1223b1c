"""One listener: a position in the log, and a bounded amount of what came since.

It begins by reading the log from there, at its own pace, and goes over to what is read once for all as soon as it
has caught up. A slow listener is not waited for: what was kept for them is dropped, and they are told
between which positions they have to read again (``Gap``).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any, NamedTuple, Protocol

from comity.server.feed.kinds import StreamKind

MAX_BYTES = 1024 * 1024  # kept for one listener
MAX_EVENTS = 5000
MOST_SHARES = 8  # the same bytes kept for eight or more: eight times as much


class Batch(NamedTuple):
    """Events of the log's part after ``start`` up to ``end``, as they are sent."""

    start: int
    end: int
    events: int
    size: int
    payload: Any


class Gap(NamedTuple):
    """What came after ``start`` up to ``end`` is not sent: it can be read again, unless it was ``pruned``."""

    start: int
    end: int
    why: str


class Beat(NamedTuple):
    """Everything up to ``position`` was sent: told once at first, then whenever nothing happened for a while."""

    position: int


class End(NamedTuple):
    """Nothing more comes."""

    why: str


class Page(NamedTuple):
    """What a listener found in the log: ``gap`` first. ``whole``: the log ended there."""

    batch: Batch | None
    gap: Gap | None
    end: int
    whole: bool


class Source(Protocol):
    """What a listener reads from."""

    reached: int
    taken: int
    gaps: int

    async def read(self, listener: LogListener) -> Page: ...

    def detach(self, listener: LogListener) -> None: ...


class LogListener:
    """Used on the event loop only. ``position`` None: from now on, or from the ``newest`` few."""

    def __init__(self, source: Source, kind: StreamKind, position: int | None, newest: int) -> None:
        self.kind = kind
        self.position = position
        self.newest = newest
        self.fresh = True  # the position is as the client gave it
        self.told_at = time.monotonic()
        self.busy_since = 0.0  # since when the last thing is being sent; 0: it was
        self._source = source
        self._queue: deque[Batch] = deque()
        self._bytes = self._events = 0
        self._behind = True
        self._offered = 0
        self._gap_to = 0
        self._beat = True
        self._end: End | None = None
        self._wake = asyncio.Event()

    def offer(self, batch: Batch, sharing: int = 1) -> None:
        """Keep what was read for all, if this one has caught up and there is room.

        So many listeners share the bytes: together they may keep as much as each could alone, up to a bound.
        """
        room = min(sharing, MOST_SHARES)
        self._offered = batch.end
        if self._behind or self._end is not None:
            return
        if self._gap_to or (
            self._queue
            and (self._bytes + batch.size > MAX_BYTES * room or self._events + batch.events > MAX_EVENTS * room)
        ):
            self._forget()
            self._gap_to = batch.end
        else:
            self._queue.append(batch)
            self._bytes += batch.size
            self._events += batch.events
        self._wake.set()

    def beat(self) -> None:
        """Have a ``Beat`` next if there is nothing else."""
        self._beat = True
        self._wake.set()

    def end(self, why: str) -> None:
        """Nothing more comes: whatever was kept is dropped."""
        if self._end is None:
            self._end = End(why)
        self._wake.set()

    def close(self) -> None:
        """Listen no more."""
        self._source.detach(self)

    async def next(self) -> Batch | Gap | Beat | End:
        """What is to be sent next."""
        self.busy_since = 0.0
        while self._end is None:
            found: Batch | Gap | Beat | None
            if self._behind:
                found = await self._read()
            else:
                found = self._take()
                if found is None and not self._behind:
                    self._wake.clear()
                    await self._wake.wait()
            if found is not None:
                self._count(found)
                self.busy_since = self.told_at = time.monotonic()
                return found
        self.busy_since = time.monotonic()
        return self._end

    def _count(self, found: Batch | Gap | Beat) -> None:
        if isinstance(found, Batch):
            self._source.taken += found.events
        elif isinstance(found, Gap):
            self._source.gaps += 1

    async def _read(self) -> Batch | Gap | None:
        page = await self._source.read(self)
        self.position, self.fresh = page.end, False
        self._behind = page.gap is not None or not page.whole or page.end < self._offered
        return page.gap or page.batch

    def _take(self) -> Batch | Gap | Beat | None:
        assert self.position is not None, "it has read the log"
        if self._gap_to:
            gap = Gap(self.position, self._gap_to, "slow")
            self.position, self._gap_to = self._gap_to, 0
            return gap
        while self._queue:
            batch = self._queue.popleft()
            self._bytes -= batch.size
            self._events -= batch.events
            if batch.start < self.position < batch.end:
                self._behind = True  # half of it is known: the log has the other half
                self._forget()
                return None
            if batch.end > self.position:
                self.position = batch.end
                return batch
        if self._beat:
            self._beat = False
            self.position = max(self.position, self._source.reached)
            return Beat(self.position)
        return None

    def _forget(self) -> None:
        self._queue.clear()
        self._bytes = self._events = 0
