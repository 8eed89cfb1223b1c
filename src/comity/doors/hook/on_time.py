"""A hook answers in time, whatever hangs: a file system, a lock, a trigger of somebody's database.

A second thread waits for the deadline; when it comes, the host is told that there is no objection, or, in a strict
project, that nobody could look, and the process ends. Whoever was in a transaction has written nothing.
"""

from __future__ import annotations

import _thread
import os
import threading
from collections.abc import Callable

from comity.hosts.contract import HookOutput
from comity.system.deadline import DEADLINE

GUARD_S, STRICT_S = 0.3, 1.0  # from a whole payload to the answer
_LOG_S = 0.05
_STEP_S = 0.02  # when the machine kept the process waiting, there is more time


class Punctual:
    """Who answers: the hook, or the clock, which asks ``late`` for the answer and lets ``note`` write the log."""

    def __init__(
        self, late: Callable[[], HookOutput], put: Callable[[HookOutput], object], note: Callable[[], None]
    ) -> None:
        self._late, self._put, self._note = late, put, note
        self._lock, self._over = threading.Lock(), threading.Lock()  # around an answer; held until all is done
        self._done = False
        self._code: int | None = None

    def begin(self) -> None:
        """From now on there are ``GUARD_S`` seconds, or ``STRICT_S`` once ``strict`` is called."""
        DEADLINE.after(GUARD_S)
        self._over.acquire()
        _thread.start_new_thread(self._wait, ())  # without waiting until it runs, as threading would

    def strict(self) -> None:
        """The project is strict: there is more time, since not to look would be a refusal."""
        DEADLINE.longer(STRICT_S - GUARD_S)

    def answer(self, answer: HookOutput) -> bool:
        """Write it out, unless the clock did; whether the host took it."""
        with self._lock:
            self._code = answer.code
            return bool(self._put(answer))

    def end(self) -> None:
        """All is done: the clock stops."""
        self._done = True
        if self._over.locked():
            self._over.release()
        DEADLINE.never()

    def _wait(self) -> None:
        while not DEADLINE.over:
            if self._over.acquire(timeout=max(_STEP_S, DEADLINE.left_s(STRICT_S))):
                return
        with self._lock:
            if self._done:
                return
            if self._code is None:
                answer = self._late()
                self._put(answer)
                self._code = answer.code
            writer = threading.Thread(target=self._note, daemon=True)
            writer.start()
            writer.join(_LOG_S)  # the log may be what hangs
            os._exit(self._code)
