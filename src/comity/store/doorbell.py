"""The operating systems' ways of telling that a file was written. Loaded by the first call that waits.

Linux: inotify through ctypes. macOS and BSD: kqueue. Elsewhere there is none, and waiters look more often instead.
"""

from __future__ import annotations

import ctypes
import os
import select
import threading

from comity.kernel.hints import Any
from comity.store.bell import Doorbell

_IN_MODIFY = 0x2
_IN_DONT_FOLLOW = 0x02000000
_IN_FLAGS = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)


def make(paths: list[str]) -> Doorbell:
    """A doorbell for these files: the best one that this system has."""
    kind: type[InotifyDoorbell | KqueueDoorbell] | None = None
    if hasattr(select, "epoll"):
        kind = InotifyDoorbell
    elif hasattr(select, "kqueue"):
        kind = KqueueDoorbell
    try:
        return kind(paths) if kind is not None else NoDoorbell()
    except OSError:
        return NoDoorbell()  # out of watches or descriptors: looking more often still works


class NoDoorbell:
    """No notification: waits for its interruption only."""

    period_s = 0.02
    descriptor = -1

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._interrupted = threading.Event()

    def wait(self, timeout_s: float) -> bool:
        """True when interrupted."""
        return self._interrupted.wait(timeout_s)

    def interrupt(self) -> None:
        """End the wait."""
        self._interrupted.set()

    def close(self) -> None:
        """Nothing is held."""


class InotifyDoorbell:
    """Linux: one inotify descriptor and a pipe that interrupts."""

    period_s = 0.25

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        libc = ctypes.CDLL(None, use_errno=True)
        self._inotify = libc.inotify_init1(_IN_FLAGS)
        if self._inotify < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        self.descriptor = self._inotify
        self._read_end, self._write_end = os.pipe()
        self._poll = select.poll()
        self._poll.register(self._inotify, select.POLLIN)
        self._poll.register(self._read_end, select.POLLIN)
        for path in paths:
            if libc.inotify_add_watch(self._inotify, os.fsencode(path), _IN_MODIFY | _IN_DONT_FOLLOW) < 0:
                error = ctypes.get_errno()
                self.close()
                raise OSError(error, "inotify_add_watch", path)

    def wait(self, timeout_s: float) -> bool:
        """True when a file was written or the wait was interrupted."""
        ready = self._poll.poll(timeout_s * 1000)
        for descriptor, _ in ready:
            os.read(descriptor, 65536)
        return bool(ready)

    def interrupt(self) -> None:
        """End the wait."""
        os.write(self._write_end, b"\0")

    def close(self) -> None:
        """Close all descriptors."""
        for descriptor in (self._inotify, self._read_end, self._write_end):
            os.close(descriptor)


class KqueueDoorbell:
    """macOS and BSD: kqueue with a note for writes, and a pipe that interrupts."""

    period_s = 0.25

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths
        queue: Any = select
        self._queue = queue.kqueue()
        self.descriptor = self._queue.fileno()
        self._read_end, self._write_end = os.pipe()
        self._files = [os.open(path, os.O_RDONLY | os.O_NOFOLLOW) for path in paths]
        flags = queue.KQ_EV_ADD | queue.KQ_EV_CLEAR
        events = [
            queue.kevent(file, filter=queue.KQ_FILTER_VNODE, flags=flags, fflags=queue.KQ_NOTE_WRITE)
            for file in self._files
        ]
        events.append(queue.kevent(self._read_end, filter=queue.KQ_FILTER_READ, flags=flags))
        self._queue.control(events, 0)

    def wait(self, timeout_s: float) -> bool:
        """True when a file was written or the wait was interrupted."""
        return bool(self._queue.control(None, 8, timeout_s))

    def interrupt(self) -> None:
        """End the wait."""
        os.write(self._write_end, b"\0")

    def close(self) -> None:
        """Close all descriptors."""
        self._queue.close()
        for descriptor in (self._read_end, self._write_end, *self._files):
            os.close(descriptor)
