"""Carries jobs out on a server's event loop: a coroutine for each job that runs, and no thread for what only waits.

One task takes jobs and looks after all that run, woken by every commit. An effect that is a coroutine runs on the loop;
one that blocks gets a thread of a small pool, and no more jobs of that sort are taken than there are threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from comity.kernel.problem import Problem
from comity.loops.job_desk import Desk, Effect, Run
from comity.loops.job_effects import EFFECTS
from comity.workspace import Workspace

BLOCKING, ON_LOOP = 4, 400  # jobs at once
_LOOK_S, _IDLE_S = 1.0, 5.0  # between two looks at most: while jobs run, and else
_LEAST_S = 0.05  # between two looks, however often it is woken
_AGAIN_S = 2.0  # after a look that failed
_FINISH_S = 1.5  # for effects that are to end

Work = Callable[[Callable[[], Any]], Awaitable[Any]]


class ServedJobRunner:
    """``mark`` answers what the next commit sets; ``work`` runs a function that asks the database, off the loop."""

    def __init__(
        self,
        workspace: Workspace,
        most_s: float,
        mark: Callable[[], asyncio.Event],
        work: Work,
        effects: Mapping[str, Effect] = EFFECTS,
    ) -> None:
        self._desk = Desk(workspace, effects, most_s)
        self._effects = effects
        self._mark = mark
        self._work = work
        self._pool = ThreadPoolExecutor(BLOCKING, "comity-job")
        self._running: dict[asyncio.Task[None], Run] = {}
        self._task: asyncio.Task[None] | None = None
        self._over = asyncio.Event()  # of some job: there is room for another

    def start(self) -> None:
        """Begin, on the running event loop."""
        assert self._task is None, "it starts once"
        self._task = asyncio.create_task(self._tend())

    async def close(self) -> None:
        """End; jobs that run are given back, so that another runner begins them anew."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        for run in self._running.values():
            run.end("ending")
        if self._running:
            _, late = await asyncio.wait(list(self._running), timeout=_FINISH_S)
            for task in late:  # what they write from now on is refused
                task.cancel()
                await self._work(partial(self._desk.record, self._running[task], TimeoutError("it does not end")))
        self._desk.end()
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _tend(self) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            await asyncio.sleep(due - loop.time())
            due = loop.time() + _LEAST_S
            mark = self._mark()
            self._over.clear()
            try:
                while kinds := self._with_room():
                    run = await self._work(partial(self._desk.take, kinds))
                    if run is None:
                        break
                    self._begin(run)
                if self._running:
                    await self._work(partial(self._desk.look_after, list(self._running.values())))
                await self._woken(mark)
            except Problem:  # the database does not answer now
                due = loop.time() + _AGAIN_S

    def _with_room(self) -> list[str]:
        """Kinds of which one more job may be taken."""
        on_loop = sum(self._desk.effect_of(run).on_loop for run in self._running.values())
        room = {True: on_loop < ON_LOOP, False: len(self._running) - on_loop < BLOCKING}
        return [kind for kind, effect in self._effects.items() if room[effect.on_loop]]

    async def _woken(self, mark: asyncio.Event) -> None:
        """Until the next commit, the end of a job, or a while."""
        waits = [asyncio.create_task(event.wait()) for event in (mark, self._over)]
        try:
            await asyncio.wait(
                waits, timeout=_LOOK_S if self._running else _IDLE_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            for wait in waits:
                wait.cancel()

    def _begin(self, run: Run) -> None:
        task = asyncio.create_task(self._carry(run))
        self._running[task] = run
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.pop(task, None)
        self._over.set()

    async def _carry(self, run: Run) -> None:
        effect = self._desk.effect_of(run)
        loop = asyncio.get_running_loop()
        if not effect.on_loop:
            await loop.run_in_executor(self._pool, self._desk.carry_out, run)
            return
        outcome: Any
        work = asyncio.ensure_future(effect.carry_out(run))

        def halt() -> None:
            with suppress(RuntimeError):  # the loop is closed: so is the effect
                loop.call_soon_threadsafe(work.cancel)

        forget = run.stop.on_set(halt)
        try:
            outcome = await work
        except asyncio.CancelledError as error:
            if not run.stop.is_set():
                raise
            outcome = error
        except Exception as error:  # noqa: BLE001 - whatever an effect raises is its verdict
            outcome = error
        finally:
            forget()
        await self._work(partial(self._desk.record, run, outcome))
