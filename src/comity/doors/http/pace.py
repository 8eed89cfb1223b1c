"""Which operations are quick enough to run where the requests are taken, without a thread in between.

Handing a call to a thread costs more than most operations take, and under load far more: each statement then waits its
turn to be the one thread that runs. So what proved quick runs at once; what did not, or would have to wait for a lock,
goes to a thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from comity.kernel.registry import AnyOp

_QUICK_S = 0.008
_FORGET = 0.9  # how much of what was slow is remembered from call to call


class Pace:
    """How long each operation took lately, the slow times counting most."""

    def __init__(self) -> None:
        self._took_s: dict[str, float] = {}

    def quick(self, op: AnyOp) -> bool:
        """Whether an operation may run at once."""
        return self._took_s.get(op.name, 0.0) < _QUICK_S

    def timed(self, op: AnyOp, run: Callable[[], Any]) -> Any:
        """What ``run`` answers. Only the thread's own work counts, not its waiting for other threads and programs."""
        began = time.thread_time()
        try:
            return run()
        finally:
            took_s = time.thread_time() - began
            self._took_s[op.name] = max(took_s, self._took_s.get(op.name, 0.0) * _FORGET)
