"""Loops: what happens by itself. The base class holds the whole skeleton; a loop says only what to do, and how often.

Each loop has one thread. A look that fails is tried again later and later, and said once; it never ends the loop, nor
the process. ``stop`` waits for a look that is under way, so that nothing runs on a closed store.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from comity.kernel import jitter
from comity.kernel.problem import Problem

_MOST_S = 60.0  # between two tries while everything fails
_BEGIN_S = 0.05  # the least before the first look: a start has better things to do


class Loop:
    """Does something every ``period_s`` seconds, less up to the share ``jitter`` of it, until it is stopped."""

    name = "loop"
    period_s = 1.0
    jitter = 0.5

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._failures = 0

    def look(self) -> None:
        """What to do each time. A Problem means that it did not work now; anything else is a fault of ours."""
        raise NotImplementedError

    def start(self) -> None:
        """Begin on a thread of its own; the first look comes after a random part of the period."""
        assert self._thread is None, "a loop starts once"
        self._thread = threading.Thread(target=self._run, name=f"comity-{self.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End: a look that is under way is finished, no other begins. Does nothing to a loop that never started."""
        self._stop.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def once(self) -> bool:
        """One look, failures caught and counted; False when it failed. Tests tick by hand with it."""
        try:
            self.look()
        except Exception as error:  # noqa: BLE001 - the skeleton: no failure may end a loop
            self._failures += 1
            if self._failures == 1:
                self._tell(error)
            return False
        self._failures = 0
        return True

    def pause_s(self) -> float:
        """How long to wait before the next look."""
        period_s = self.period_s * (1 - jitter.between(0, self.jitter))
        return min(_MOST_S, period_s * 2**self._failures) if self._failures else period_s

    def _run(self) -> None:
        if self._stop.wait(jitter.between(_BEGIN_S, self.period_s)):
            return
        while True:
            self.once()
            if self._stop.wait(self.pause_s()):
                return

    def _tell(self, error: Exception) -> None:
        if isinstance(error, Problem):
            sys.stderr.write(f"comity: {self.name}: {error.message} It is tried again.\n")
        else:
            sys.excepthook(type(error), error, error.__traceback__)


class Late(Loop):
    """A loop that is made once there is something for it (``due``), so that nobody else pays for its module."""

    def __init__(self, name: str, period_s: float, due: Callable[[], bool], make: Callable[[], Loop]) -> None:
        super().__init__()
        self.name = name
        self.period_s = period_s
        self._due = due
        self._make = make
        self._made: Loop | None = None

    def look(self) -> None:
        """What the loop does at each look."""
        if self._made is None:
            if not self._due():
                return
            self._made = self._make()
            if self._stop.is_set():  # meanwhile
                return
        self._made.look()

    def stop(self) -> None:
        """End, and the loop that was made first: it may be in the middle of something long."""
        self._stop.set()
        if self._made is not None:
            self._made.stop()
        super().stop()
