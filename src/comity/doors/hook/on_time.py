"""A hook answers in time, whatever hangs: a file system, a lock, a trigger of somebody's database.

A second thread waits for the deadline; when it comes, the host is told that there is no objection, or, in a strict
project, that nobody could look. A process of the hook's own ends then; in a server the hook's thread finds that its
time is over. Whoever was in a transaction has written nothing.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable

from comity.hosts.contract import HookOutput
from comity.system.deadline import DEADLINE, Moment

GUARD_S, STRICT_S = 0.3, 1.0  # from a whole payload to the answer
_LOG_S = 0.05
_STEP_S = 0.02  # when the machine kept the thread waiting, there is more time


class Punctual:
    """Who answers: the hook, or the clock, which asks ``late`` for the answer and lets ``note`` write the log.

    ``leave`` is called with the exit code once the clock has answered: a process of the hook's own ends there
    (``alone``).
    """

    def __init__(
        self,
        late: Callable[[], HookOutput],
        put: Callable[[HookOutput], object],
        note: Callable[[], None],
        leave: Callable[[int], object],
        *,
        alone: bool,
    ) -> None:
        self._late, self._put, self._note, self._leave, self._alone = late, put, note, leave, alone
        self._lock, self._over = threading.Lock(), threading.Lock()  # around an answer; held until all is done
        self._done = False
        self._code: int | None = None
        self._moment: Moment | None = None
        self.spoke = False  # the clock answered

    def begin(self) -> None:
        """From now on there are ``GUARD_S`` seconds, or ``STRICT_S`` once ``strict`` is called."""
        self._moment = Moment(GUARD_S, since_start=self._alone)
        DEADLINE.set(self._moment)
        self._over.acquire()
        _thread.start_new_thread(self._wait, (self._moment,))  # without waiting until it runs, as threading would

    def strict(self) -> None:
        """The project is strict: there is more time, since not to look would be a refusal."""
        if self._moment is not None:
            self._moment.longer(STRICT_S - GUARD_S)

    def answer(self, answer: HookOutput) -> bool:
        """Write it out, unless the clock did; whether the host took it."""
        with self._lock:
            if self.spoke:
                return False
            self._code = answer.code
            return bool(self._put(answer))

    def end(self) -> None:
        """All is done: the clock stops."""
        self._done = True
        if self._over.locked():
            self._over.release()
        DEADLINE.set(None)

    def _wait(self, moment: Moment) -> None:
        while not moment.over:
            if self._over.acquire(timeout=max(_STEP_S, moment.left_s(STRICT_S))):
                return
        with self._lock:
            if self._done:
                return
            if self._code is None:
                answer = self._late()
                self.spoke = True
                self._put(answer)
                self._code = answer.code
            elif not self._alone:
                return
            writer = threading.Thread(target=self._note, daemon=True)
            writer.start()
            writer.join(_LOG_S)  # the log may be what hangs
            self._leave(self._code)
