"""The hub of all listeners to the log: what is new is read once, made into bytes once for each kind, and shared.

The feed's thread reads and frames; the event loop only hands out. A stretch is read before the kinds of listeners are
looked at, so that one who came later, and therefore is not served with it, finds it in the log.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import NamedTuple

from comity.kernel.problem import Problem
from comity.rooms.lifecycle.history import EventFilter
from comity.server.feed.kinds import StreamKind
from comity.server.feed.listener import Batch, Gap, LogListener, Page
from comity.server.feed.log_reader import STRANGER, Reader, Seen, Stretch, tell
from comity.workspace import Workspace

_READERS = 2  # threads for those who catch up
_FEW = 16  # so many listeners are told at once, always
_PACE_S, _PACE_EACH_S, _PACE_MOST_S = 0.003, 0.0001, 0.05
_IDLE_PACE_S = 0.25  # there is no listener
_HANDED_S = 5.0  # the loop hands out what was read, or is stuck


class Made(NamedTuple):
    """One stretch as every kind of listener gets it."""

    end: int
    batches: dict[StreamKind, Batch]


class Hub:
    """``attach`` and ``detach`` on the event loop; ``look`` on the feed's thread."""

    def __init__(self, workspace: Workspace) -> None:
        self.reached = 0  # everything up to here was handed out
        self.taken = self.gaps = 0  # events that listeners took, and times that they were told to read again
        self._reader = Reader(workspace)
        self._listeners: dict[StreamKind, dict[LogListener, None]] = {}
        self._kinds: tuple[StreamKind, ...] = ()
        self._count = 0
        self._position = 0
        self._handed = threading.Event()
        self._pool = ThreadPoolExecutor(_READERS, "comity-replay")
        self._over = ""

    def start(self) -> None:
        """Begin where the log ends now."""
        self._position = self.reached = self._reader.bounds().last

    def attach(self, kind: StreamKind, position: int | None = None, newest: int = 0) -> LogListener:
        """Listen from a position on; without one from now on, or from the ``newest`` events."""
        listener = LogListener(self, kind, position, newest)
        self._listeners.setdefault(kind, {})[listener] = None
        self._kinds = tuple(self._listeners)
        self._count += 1
        if self._over:
            listener.end(self._over)
        return listener

    def detach(self, listener: LogListener) -> None:
        """Hand nothing to it any more."""
        group = self._listeners.get(listener.kind, {})
        if listener in group:
            del group[listener]
            self._count -= 1
            if not group:
                del self._listeners[listener.kind]
                self._kinds = tuple(self._listeners)

    def all(self) -> list[LogListener]:
        """Everybody who listens now."""
        return [listener for group in self._listeners.values() for listener in group]

    def end(self, why: str) -> None:
        """End every listener, and each that comes from now on."""
        self._over = why
        self._handed.set()
        for listener in self.all():
            listener.end(why)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def read(self, listener: LogListener) -> Page:
        """What a listener that has not caught up finds in the log."""
        look = partial(self._page, listener.kind, listener.position, listener.newest, listener.fresh)
        return await asyncio.get_running_loop().run_in_executor(self._pool, look)

    def pace_s(self) -> float:
        """How long to wait between two looks: what comes close together is handed out together."""
        if not self._count:
            return _IDLE_PACE_S
        return min(_PACE_MOST_S, _PACE_S + _PACE_EACH_S * max(0, self._count - _FEW))

    def look(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Read what is new, and have the loop hand it out. False: it could not be read."""
        whole = False
        while not (whole or self._over):
            try:
                if not self._kinds and self._pass_over(loop):
                    return True
                stretch = self._reader.after(STRANGER, self._position, EventFilter())
                whole = stretch.whole
                if stretch.end > self._position:
                    self._hand(loop, self._make(stretch, self._kinds))
            except Problem:
                return False  # the database is locked or away: the next look goes on from the same place
            self._position = stretch.end
        return True

    def _pass_over(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Go to the end of the log unread. False: somebody came meanwhile, and may have read less than that end."""
        end = self._reader.bounds().last
        if self._kinds:
            return False
        self._position = end
        loop.call_soon_threadsafe(self._skip, end)
        return True

    def _hand(self, loop: asyncio.AbstractEventLoop, made: Made) -> None:
        self._handed.clear()
        loop.call_soon_threadsafe(self._deliver, made)
        self._handed.wait(_HANDED_S)

    def _make(self, stretch: Stretch, kinds: tuple[StreamKind, ...]) -> Made:
        seen = self._reader.seen_by(stretch, {kind.audience for kind in kinds})
        batches = {}
        for kind in kinds:
            batch = _batch(kind, stretch, seen[kind.audience])
            if batch is not None:
                batches[kind] = batch
        return Made(stretch.end, batches)

    def _deliver(self, made: Made) -> None:
        self._handed.set()
        self.reached = made.end
        for kind, batch in made.batches.items():
            group = self._listeners.get(kind, {})
            for listener in group:
                listener.offer(batch, len(group))

    def _skip(self, end: int) -> None:
        self.reached = end

    def _page(self, kind: StreamKind, start: int | None, newest: int, fresh: bool) -> Page:
        if fresh:
            first, last = self._reader.bounds()
            if start is None and not newest:
                return Page(None, None, last, whole=True)
            if start is not None and start > last > 0:
                return Page(None, Gap(start, last, "unknown"), last, whole=False)
            if start is not None and start < first - 1:
                return Page(None, Gap(start, first - 1, "pruned"), first - 1, whole=False)
        if start is None:
            stretch = self._reader.newest(kind.audience, newest, kind.wanted)
        else:
            stretch = self._reader.after(kind.audience, start, kind.wanted)
        return Page(
            _batch(kind, stretch, [(event, tell(event)) for event in stretch.events]), None, stretch.end, stretch.whole
        )


def _batch(kind: StreamKind, stretch: Stretch, seen: Seen) -> Batch | None:
    told = [told for event, told in seen if kind.wanted.admits(event)]
    if not told:
        return None
    payload, size = kind.framing.frame(told)
    return Batch(stretch.start, stretch.end, len(told), size, payload)
