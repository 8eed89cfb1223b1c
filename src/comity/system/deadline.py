"""The deadline of this thread's work: one moment that everything that may hang looks at.

A hook sets it once its payload is whole; other calls of a server have none. Time in which the machine did not let the
process run, since the work began, does not count (proc(5), ``schedstat``): a busy machine is no reason to give up.
"""

from __future__ import annotations

import os
import threading
import time


class Moment:
    """When the time of one piece of work is over, in seconds of the monotonic clock; any thread may look at it."""

    __slots__ = ("_kept_before_s", "_kept_waiting_s", "_until")

    def __init__(self, seconds: float, *, since_start: bool = True) -> None:
        """``seconds`` from now. Waiting since the process began is given back, or only from now on.

        The work of a process alone is its first thread's; beside others one may also wait for what they hold.
        """
        self._until = time.monotonic() + seconds
        self._kept_waiting_s = _first_thread if since_start else _every_thread
        self._kept_before_s = 0.0 if since_start else _every_thread()

    def longer(self, seconds: float) -> None:
        """There are so many more, counted from where the time began."""
        self._until += seconds

    def left_s(self, most_s: float) -> float:
        """How long something may take that would otherwise take ``most_s``; 0 when the time is over."""
        left = self._until - time.monotonic()
        if left <= 0:
            left += max(0.0, self._kept_waiting_s() - self._kept_before_s)
        return max(0.0, min(most_s, left))

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self.left_s(1.0) <= 0


class Deadline(threading.local):
    """``set`` gives one to the calling thread; until then it has none."""

    moment: Moment | None = None

    def set(self, moment: Moment | None) -> None:
        """From now on this thread's work is over at that moment; never for None."""
        self.moment = moment

    def after(self, seconds: float) -> None:
        """From now on there are ``seconds`` left."""
        self.moment = Moment(seconds)

    def left_s(self, most_s: float) -> float:
        """How long something may take that would otherwise take ``most_s``; 0 when the time is over."""
        return most_s if self.moment is None else self.moment.left_s(most_s)

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self.moment is not None and self.moment.over


DEADLINE = Deadline()


def _first_thread() -> float:
    return _kept_waiting_s("/proc/self/schedstat")


def _every_thread() -> float:
    try:
        threads = os.listdir("/proc/self/task")
    except OSError:
        return 0.0
    return sum(_kept_waiting_s(f"/proc/self/task/{one}/schedstat") for one in threads)


def _kept_waiting_s(path: str) -> float:
    """How long a thread was ready to run and did not; 0 where the system does not tell."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return 0.0
    try:
        return int(os.read(descriptor, 100).split()[1]) / 1_000_000_000
    except (OSError, ValueError, IndexError):
        return 0.0
    finally:
        os.close(descriptor)
