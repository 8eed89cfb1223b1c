"""The messages of one session's streams, kept for a while, so that a client which lost its connection can go on.

Every listener reads from here with a cursor of its own, also while nothing is lost: a slow one costs no more than the
bound, and what it missed is told to it as a gap. A session's streams are reached only through that session.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.text import whole

MOST_EVENTS = 1000
MOST_BYTES = 4 * 1024 * 1024
_MOST_STREAMS = 1000  # of which it is remembered what was lost


class KeptMessage(NamedTuple):
    """One message; ``number`` counts within the session."""

    stream: str
    number: int
    data: bytes

    @property
    def event_id(self) -> str:
        """What the client sends as Last-Event-ID."""
        return f"{self.stream}-{self.number}"


class KeptMessages:
    """What one session was sent, by stream. The oldest go first once there are too many, or too large ones."""

    def __init__(self, most_events: int = MOST_EVENTS, most_bytes: int = MOST_BYTES) -> None:
        self._most_events = most_events
        self._most_bytes = most_bytes
        self._kept: deque[KeptMessage] = deque()
        self._bytes = 0
        self._number = 0
        self._lost: dict[str, int] = {}  # by stream: the number of the last message that is gone
        self._known: dict[str, asyncio.Event] = {}
        self._ended: OrderedDict[str, None] = OrderedDict()

    def open(self, stream: str) -> None:
        """A stream begins."""
        self._known[stream] = asyncio.Event()

    def put(self, stream: str, data: bytes) -> KeptMessage:
        """Keep a message and wake who listens."""
        self._number += 1
        kept = KeptMessage(stream, self._number, data)
        self._kept.append(kept)
        self._bytes += len(data)
        while len(self._kept) > 1 and (len(self._kept) > self._most_events or self._bytes > self._most_bytes):
            gone = self._kept.popleft()
            self._bytes -= len(gone.data)
            self._lost[gone.stream] = gone.number
        self.wake(stream)
        return kept

    def end(self, stream: str) -> None:
        """Nothing more will come on this stream."""
        self._ended[stream] = None
        self.wake(stream)
        while len(self._ended) > _MOST_STREAMS:
            gone, _ = self._ended.popitem(last=False)
            del self._known[gone]
            self._lost.pop(gone, None)

    def after(self, stream: str, number: int) -> tuple[list[KeptMessage], int]:
        """What came after a message, and the last of it that is gone; 0: nothing is."""
        found: list[KeptMessage] = []
        for kept in reversed(self._kept):
            if kept.number <= number:
                break
            if kept.stream == stream:
                found.append(kept)
        found.reverse()
        lost = self._lost.get(stream, 0)
        return found, lost if lost > number else 0

    def is_over(self, stream: str) -> bool:
        """Whether nothing more will come."""
        return stream in self._ended or stream not in self._known

    def knows(self, stream: str) -> bool:
        """Whether there is, or was not long ago, such a stream."""
        return stream in self._known

    def mark(self, stream: str) -> asyncio.Event:
        """What is set by the next message: take it before the look that may find nothing."""
        return self._known[stream]

    @property
    def newest(self) -> int:
        """The number of the last message."""
        return self._number

    def wake(self, stream: str) -> None:
        """Have who listens to a stream look."""
        woken = self._known.get(stream)
        if woken is not None:
            self._known[stream] = asyncio.Event()
            woken.set()

    def wake_all(self) -> None:
        """Have every listener look."""
        for stream in list(self._known):
            self.wake(stream)


class WaitingLines:
    """What is to be sent to the client of a lone request, which cannot take its stream up again, in order.

    Once more than ``most`` lines wait for a client that does not take them, they are dropped, and ``instead`` of them
    it gets those.
    """

    def __init__(self, instead: Callable[[], list[bytes]], most: int = MOST_EVENTS) -> None:
        self._instead = instead
        self._most = most
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()

    def put(self, line: bytes | None) -> None:
        """Send a line; None: nothing more comes."""
        if line is not None and self._lines.qsize() >= self._most:
            while not self._lines.empty():
                self._lines.get_nowait()
            for one in self._instead():
                self._lines.put_nowait(one)
        self._lines.put_nowait(line)

    async def get(self) -> bytes | None:
        """The next line, once there is one. It may be cancelled: nothing is lost."""
        return await self._lines.get()


def parse(event_id: str) -> tuple[str, int] | None:
    """Stream and number of a Last-Event-ID; None when it is none of ours."""
    stream, dash, number = event_id.rpartition("-")
    found = whole(number, 15) if dash else None
    return None if found is None else (stream, found)
