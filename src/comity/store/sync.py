"""``normal`` durability: the log is synced to the disk by a timer instead of by every commit.

A commit is in the operating system's hands at once, so a process that dies at any instruction loses nothing. A power
cut loses at most the last 2 s: every living process that has ever written looks once a second whether the log has
grown since anybody last synced it, and if so syncs it. A marker file, whose time is the log's at the last sync, keeps
many processes from syncing the same log. The log file carries no locks, so it may be opened here; the database may not.
The same thread copies a log that has become long back into the file (``store.checkpoint``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from comity.kernel import jitter
from comity.store.bell import open_beside
from comity.system import files

_PERIOD_S = 1.0
_JITTER_S = 0.5
_MARKER = "synced"
_SETTLED_NS = 50_000_000  # a file's time may be this much too coarse to tell two writes apart


class LogSync:
    """Syncs one database's write-ahead log. ``wrote`` after each commit; ``close`` syncs what is left.

    ``shorten`` copies the log into the file; the thread calls it soon after ``shorten_soon``.
    """

    def __init__(self, path: str, shorten: Callable[[], None], *, active: bool) -> None:
        self._log = path + "-wal"
        self._folder = path + ".bell"
        self._marker = os.path.join(self._folder, _MARKER)
        self._active = active
        self._shorten = shorten
        self._stopping = self._long = False
        self._called = threading.Event()  # to stop, or since the log is long
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def wrote(self) -> None:
        """Something was committed: from now on the timer runs."""
        if self._active and self._thread is None:
            self._start()

    def shorten_soon(self) -> None:
        """The log is long: have the thread copy it into the file."""
        self._long = True
        self._called.set()

    def close(self) -> None:
        """Stop the timer and sync what this process wrote."""
        self._stopping = True
        self._called.set()
        if self._thread is not None:
            self._thread.join()
            self.sync()

    def sync(self) -> bool:
        """Sync the log if it has grown since the last sync by anybody. True when this call did it."""
        try:
            written_ns = os.stat(self._log).st_mtime_ns
            if written_ns <= self._synced_ns():
                return False
            settled = time.time_ns() - written_ns > _SETTLED_NS
            descriptor = files.open_file(*os.path.split(self._log), os.O_RDWR)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if settled:
                self._mark(written_ns)
        except OSError:
            return False  # no log now: it was checkpointed, and that synced it
        return True

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="comity-sync", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        due = time.monotonic() + _PERIOD_S
        while not self._stopping:
            self._called.wait(max(0.0, due - time.monotonic()))
            self._called.clear()
            if self._long and not self._stopping:
                self._long = False
                self._shorten()
            if time.monotonic() >= due and not self._stopping:
                self.sync()
                due = time.monotonic() + _PERIOD_S + jitter.between(0, _JITTER_S)

    def _synced_ns(self) -> int:
        try:
            return os.lstat(self._marker).st_mtime_ns
        except OSError:
            return 0

    def _mark(self, written_ns: int) -> None:
        descriptor = open_beside(self._folder, _MARKER, os.O_CREAT | os.O_WRONLY)
        try:
            os.utime(descriptor, ns=(written_ns, written_ns))
        finally:
            os.close(descriptor)
