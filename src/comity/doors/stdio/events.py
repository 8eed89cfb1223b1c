"""Events that the main thread waits for: reasons to end, from other threads and from signals.

A signal may arrive on any thread of the process, and Python runs its handler only when the main thread next runs: a
main thread that waits for a lock may never notice. So it waits for a pipe, into which the interpreter itself writes
at every signal (`signal.set_wakeup_fd`), whatever thread it came to. Windows cannot wait for a pipe; there the queue
is looked into once per `WINDOWS_TICK_S`.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterable
from queue import Empty, SimpleQueue
from time import monotonic

WINDOWS_TICK_S = 0.5
_POLLED = os.name == "nt"


class Events:
    """A queue of reasons with one reader. `put` may be called from any thread and from a signal handler."""

    __slots__ = ("_bell", "_queue", "_wake")

    def __init__(self) -> None:
        self._queue: SimpleQueue[str] = SimpleQueue()
        if not _POLLED:
            self._wake, self._bell = os.pipe()
            os.set_blocking(self._wake, False)
            os.set_blocking(self._bell, False)

    def put(self, reason: str) -> None:
        """Add a reason and wake the reader."""
        self._queue.put(reason)
        if not _POLLED:
            try:
                os.write(self._bell, b"!")
            except OSError:  # full: the reader has enough to wake up for; or closed: there is no reader
                return

    def get(self, timeout_s: float) -> str | None:
        """The next reason; None after ``timeout_s`` without one."""
        deadline = monotonic() + timeout_s
        while True:
            try:
                return self._queue.get_nowait()
            except Empty:
                left = deadline - monotonic()
                if left <= 0:
                    return None
                self._sleep(left)

    def take_signals(self, names: Iterable[str]) -> None:
        """Have these signals put their names. Main thread only. SIGHUP is left alone under nohup."""
        for name in names:
            number = getattr(signal, name, None)
            if number is None or (name == "SIGHUP" and signal.getsignal(number) is signal.SIG_IGN):
                continue
            signal.signal(number, lambda *_, name=name: self.put(name))
        if not _POLLED:
            signal.set_wakeup_fd(self._bell, warn_on_full_buffer=False)

    def _sleep(self, left_s: float) -> None:
        if _POLLED:
            try:
                self._queue.put(self._queue.get(timeout=min(left_s, WINDOWS_TICK_S)))
            except Empty:
                return
        elif select.select([self._wake], [], [], left_s)[0]:
            os.read(self._wake, 4096)
