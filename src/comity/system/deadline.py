"""The deadline of this process: one moment that everything that may hang looks at.

A hook sets it once its payload is whole; a server never does. Time in which the machine did not let the process run,
since it was started, does not count (proc(5), ``schedstat``): a busy machine is no reason to give up.
"""

from __future__ import annotations

import time


class Deadline:
    """``after`` sets it, in seconds from now; until then there is none."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until: float | None = None

    def after(self, seconds: float) -> None:
        """From now on there are ``seconds`` left."""
        self._until = time.monotonic() + seconds

    def longer(self, seconds: float) -> None:
        """There are so many more, counted from where the time began."""
        if self._until is not None:
            self._until += seconds

    def never(self) -> None:
        """There is no such moment any more."""
        self._until = None

    def left_s(self, most_s: float) -> float:
        """How long something may take that would otherwise take ``most_s``; 0 when the time is over."""
        if self._until is None:
            return most_s
        left = self._until - time.monotonic()
        if left <= 0:
            left += _kept_waiting_s()
        return max(0.0, min(most_s, left))

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self._until is not None and self.left_s(1.0) <= 0


DEADLINE = Deadline()


def _kept_waiting_s() -> float:
    """How long this process was ready to run and did not; 0 where the system does not tell."""
    try:
        with open("/proc/self/schedstat", "rb") as file:
            return int(file.read(100).split()[1]) / 1_000_000_000
    except (OSError, ValueError, IndexError):
        return 0.0
