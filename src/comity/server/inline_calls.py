"""Inline calls: operations quick enough to run where requests are taken, without a thread in between.

Handing a call to a thread costs more than most operations take, and under load far more: each statement then waits its
turn to be the one thread that runs. So what proved quick runs at once; what did not, or would have to wait for a lock,
goes to a thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_QUICK_S = 0.03  # on a thread, a transaction of many statements holds up every other write for longer
_NEW = 0.2  # how much the latest time counts


class Pace:
    """How long each operation or tool takes lately, by its name."""

    def __init__(self) -> None:
        self._took_s: dict[str, float] = {}

    def quick(self, name: str) -> bool:
        """Whether it may run at once."""
        return self._took_s.get(name, 0.0) < _QUICK_S

    def at_once(self, name: str, run: Callable[[], Any]) -> Any:
        """What ``run`` answers."""
        return self._timed(name, run, time.perf_counter)

    def on_thread(self, name: str, run: Callable[[], Any]) -> Any:
        """What ``run`` answers, on a thread. Only its own work counts, not its waiting for others."""
        return self._timed(name, run, time.thread_time)

    def _timed(self, name: str, run: Callable[[], Any], clock: Callable[[], float]) -> Any:
        began = clock()
        try:
            return run()
        finally:
            known_s = self._took_s.get(name, 0.0)
            self._took_s[name] = known_s + (clock() - began - known_s) * _NEW
