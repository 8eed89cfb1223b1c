"""Carries jobs out on a thread: what an agent's session does for its workspace while no server does.

It takes one job at a time, and only one that has waited a while: a server takes jobs at once. Its own thread looks
after the job, woken by whatever is said to the agent that asked; the effect runs on another one. Coroutines need an
event loop, so their jobs are left to servers (``served_job_runner``).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from comity.kernel.problem import Problem
from comity.loops.job_desk import Desk, Effect, Run
from comity.loops.job_effects import EFFECTS
from comity.loops.loop import Loop
from comity.workspace import Workspace

PATIENCE_MS = 1500  # that a job has waited before a session takes it from a server that may come
_LOOK_S, _LEAST_S = 1.0, 0.1  # between two looks at a job that runs: at most, and however often it is woken
_FINISH_S = 1.5  # for an effect that is to end; then it is left to itself, and whatever it writes is refused


class JobRunner(Loop):
    """Looks every one to two seconds whether a job waits."""

    name = "jobs"
    period_s = 2.0

    def __init__(
        self,
        workspace: Workspace,
        most_s: float,
        effects: Mapping[str, Effect] = EFFECTS,
        waited_ms: int = PATIENCE_MS,
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._desk = Desk(workspace, effects, most_s, waited_ms)
        self._kinds = [kind for kind, effect in effects.items() if not effect.on_loop]
        self._at_work: Run | None = None

    def look(self) -> None:
        """Carry out what waits, one after another."""
        while not self._stop.is_set():
            run = self._desk.take(self._kinds)
            if run is None:
                return
            self._carry(run)

    def stop(self) -> None:
        """End; a job that runs is given back, so that another runner begins it anew."""
        self._stop.set()
        run = self._at_work
        if run is not None:
            run.end("ending")
        super().stop()
        self._desk.end()

    def _carry(self, run: Run) -> None:
        self._at_work = run
        if self._stop.is_set():
            run.end("ending")
        waiter = self._workspace.store.waiter((run.workspace.actor.agent_id,))
        forget = run.stop.on_set(waiter.cancel)
        over = threading.Event()

        def carry_out() -> None:
            try:
                self._desk.carry_out(run)
            finally:
                over.set()
                run.stop.set()  # which ends the wait below

        threading.Thread(target=carry_out, name="comity-job", daemon=True).start()
        try:
            while not run.stop.is_set():
                if not waiter.wait(_LOOK_S) and run.stop.is_set():
                    break
                self._desk.look_after([run])
                over.wait(_LEAST_S)
            if not over.wait(_FINISH_S):
                self._desk.record(run, TimeoutError("the effect does not end"))
        except Problem:  # the database is another one: what the effect writes is refused as well
            run.end("lost")
            raise
        finally:
            forget()
            waiter.close()
            self._at_work = None
