"""Operations for code on the event loop: each runs on a worker thread, and what waits is awaited without one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from comity.kernel.problem import Unavailable
from comity.kernel.registry import AnyOp
from comity.kernel.steps import Report
from comity.kernel.validate import validate
from comity.rooms import REGISTRY
from comity.server.feed.feed import Feed
from comity.server.inline_calls import Pace
from comity.store.connection import BUSY_S
from comity.store.haste import HASTE
from comity.workspace import Cancel, Workspace

THREADS = 16
RECHECK_S = 1.0  # a caller that waits


def _nothing() -> None:
    return


async def told_by(mark: asyncio.Event, end: float, recheck: Callable[[], None]) -> bool:
    """Wait for a mark until ``end`` of the loop's clock; whether it came.

    ``recheck`` is asked every second and before the answer: a token that ends does not by itself set the mark.
    """
    loop = asyncio.get_running_loop()
    while not mark.is_set() and (left := end - loop.time()) > 0:
        try:
            async with asyncio.timeout(min(left, RECHECK_S)):  # wait_for of Python 3.11 can swallow a cancellation
                await mark.wait()
        except TimeoutError:
            recheck()
    recheck()
    return mark.is_set()


class Calls:
    """Runs operations. Ends with ``close``."""

    def __init__(self, feed: Feed, threads: int = THREADS) -> None:
        self._feed = feed
        self._pool = ThreadPoolExecutor(threads, "comity-call")
        self._pace = Pace()
        self._turn = asyncio.Lock()
        self._tidying = False
        self._ending = False

    async def run(
        self,
        workspace: Workspace,
        name: str,
        arguments: Mapping[str, object],
        cancel: Cancel | None = None,
        report: Report | None = None,
    ) -> Any:
        """The operation's record. Raises Problem. An operation that takes ``wait_ms`` is asked again when woken."""
        return await self.perform(workspace, REGISTRY.get(name), arguments, cancel, report)

    async def perform(
        self,
        workspace: Workspace,
        op: AnyOp,
        arguments: Mapping[str, object],
        cancel: Cancel | None = None,
        report: Report | None = None,
        recheck: Callable[[], None] = _nothing,
    ) -> Any:
        """The same for an operation that is at hand. ``recheck`` raises Problem once the caller may wait no longer."""
        wait_ms = arguments.get("wait_ms")
        if op.waits is None or not wait_ms:
            return await self._once(workspace, op, partial(workspace.perform, op, arguments, cancel, report))
        values = validate(op, arguments)
        once = partial(workspace.perform, op, {**arguments, "wait_ms": 0}, cancel)
        end = asyncio.get_running_loop().time() + values["wait_ms"] / 1000
        while True:
            mark = self._feed.mark()
            result = await self._once(workspace, op, once)
            left = end - asyncio.get_running_loop().time()
            if not op.waits.empty(result) or left <= 0 or self._ending:
                return result
            over = not await told_by(mark, end, recheck)
            if over:
                return await self._once(workspace, op, once)

    async def _once(self, workspace: Workspace, op: AnyOp, run: Callable[[], Any]) -> Any:
        """At once when that is quick and needs no waiting for a lock; else on a worker thread.

        Writes take turns: several at a time would only wait for each other inside the store, and for longer.
        """
        if op.long or workspace.store.durability != "normal":
            return await self.work(run)
        return await self.brief(workspace, op.name, run, writes=op.effect == "write")

    async def brief(self, workspace: Workspace, name: str, run: Callable[[], Any], *, writes: bool) -> Any:
        """What ``run`` answers: at once when what has this name was quick lately; else, or locked, from a worker."""
        if not writes:
            return await self._try(workspace, name, run)
        await self._take_turn()
        try:
            return await self._try(workspace, name, run)
        finally:
            self._turn.release()

    async def _take_turn(self) -> None:
        """Unavailable ``store.locked`` for whoever stood in line as long as one would wait for the lock itself."""
        if not self._turn.locked():
            await self._turn.acquire()  # at once
            return
        try:
            await asyncio.wait_for(self._turn.acquire(), BUSY_S)
        except TimeoutError:
            raise Unavailable(
                "store.locked", "The database is locked by another process.", "Try again.", retryAfterS=1
            ) from None

    async def _try(self, workspace: Workspace, name: str, run: Callable[[], Any]) -> Any:
        if self._pace.quick(name):
            try:
                with HASTE:
                    return self._pace.at_once(name, run)
            except Unavailable as problem:
                if problem.reason not in ("store.locked", "call.long"):
                    raise
            finally:
                if HASTE.owes_tidying:
                    self._tidy(workspace)
        return await self.work(partial(self._pace.on_thread, name, run))

    def _tidy(self, workspace: Workspace) -> None:
        HASTE.owes_tidying = False
        if not self._tidying and not self._ending:
            self._tidying = True
            self._pool.submit(workspace.store.tidy).add_done_callback(self._tidied)

    def _tidied(self, _: Future[None]) -> None:
        self._tidying = False

    async def work(self, function: Any) -> Any:
        """What a function answers, from a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, function)

    def end_waits(self) -> None:
        """Whoever waits gets what there is when the feed wakes him next, and nobody waits any more."""
        self._ending = True

    def close(self) -> None:
        """Finish what runs; nothing more begins."""
        self._pool.shutdown(wait=True, cancel_futures=True)
