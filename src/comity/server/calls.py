"""Operations for code on the event loop: each runs on a worker thread, and what waits is awaited without one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from comity.kernel.call import Key
from comity.kernel.problem import Unavailable
from comity.kernel.registry import AnyOp
from comity.kernel.steps import Report
from comity.kernel.validate import validate
from comity.server.feed.feed import Feed
from comity.server.inline_calls import Pace
from comity.system.haste import HASTE
from comity.workspace import Cancel, Workspace

THREADS = 16
NOT_NOW = object()
RECHECK_S = 1.0  # a caller that waits


def _nothing() -> None:
    return


async def _woken(mark: asyncio.Event, end: float, recheck: Callable[[], None]) -> bool:
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
        self._ending = False

    async def perform(
        self,
        workspace: Workspace,
        op: AnyOp,
        arguments: Mapping[str, object],
        cancel: Cancel | None = None,
        report: Report | None = None,
        recheck: Callable[[], None] = _nothing,
        key: Key | None = None,
    ) -> Any:
        """The operation's record, under its caller's ``key`` if there is one. Raises Problem.

        One that takes ``wait_ms`` is asked again when woken; ``recheck`` raises once its caller may wait no longer.
        """
        wait_ms = arguments.get("wait_ms")
        if op.waits is None or not wait_ms:
            return await self._once(workspace, op, partial(workspace.perform, op, arguments, cancel, report, key))
        values = validate(op, arguments)
        once = partial(workspace.perform, op, {**arguments, "wait_ms": 0}, cancel, None, key)
        end = asyncio.get_running_loop().time() + values["wait_ms"] / 1000
        while True:
            mark = self._feed.mark()
            result = await self._once(workspace, op, once)
            left = end - asyncio.get_running_loop().time()
            if not op.waits.empty(result) or left <= 0 or self._ending:
                return result
            over = not await _woken(mark, end, recheck)
            if over:
                return await self._once(workspace, op, once)

    async def _once(self, workspace: Workspace, op: AnyOp, run: Callable[[], Any]) -> Any:
        """At once when that is quick and needs no waiting for a lock; else on a worker thread.

        Writes take turns: several at a time would only wait for each other inside the store, and for longer.
        """
        if op.long or workspace.store.commits_wait:
            return await self.work(run)
        if op.effect == "read":
            return await self._try(op.name, run)
        await self._take_turn(workspace.store.busy_s)
        try:
            return await self._try(op.name, run)
        finally:
            self._turn.release()

    async def _take_turn(self, busy_s: float) -> None:
        """Unavailable ``store.locked`` for a call that stood in line as long as it would wait for the lock itself."""
        if not self._turn.locked():
            await self._turn.acquire()  # at once
            return
        try:
            await asyncio.wait_for(self._turn.acquire(), busy_s)
        except TimeoutError:
            raise Unavailable(
                "store.locked", "The database is locked by another process.", "Try again.", retryAfterS=1
            ) from None

    def at_once(self, workspace: Workspace, op: AnyOp, arguments: Mapping[str, object], key: Key | None = None) -> Any:
        """The operation's record, if it need not wait, be it for a lock; else NOT_NOW. Raises Problem."""
        waits = op.waits is not None and bool(arguments.get("wait_ms"))
        if waits or op.long or workspace.store.commits_wait or (op.effect == "write" and self._turn.locked()):
            return NOT_NOW
        return self._hurried(op.name, partial(workspace.perform, op, arguments, None, None, key))

    def _hurried(self, name: str, run: Callable[[], Any]) -> Any:
        """What ``run`` answers; NOT_NOW when what has this name was not quick lately, or somebody has the lock."""
        if not self._pace.quick(name):
            return NOT_NOW
        try:
            with HASTE:
                return self._pace.at_once(name, run)
        except Unavailable as problem:
            if problem.reason not in ("store.locked", "call.long"):
                raise
            return NOT_NOW

    async def _try(self, name: str, run: Callable[[], Any]) -> Any:
        found = self._hurried(name, run)
        return await self.work(partial(self._pace.on_thread, name, run)) if found is NOT_NOW else found

    async def work(self, function: Any) -> Any:
        """What a function answers, from a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, function)

    def end_waits(self) -> None:
        """End all waits: each call gets what there is."""
        self._ending = True
        self._feed.wake()

    def close(self) -> None:
        """Finish what runs; nothing more begins."""
        self._pool.shutdown(wait=True, cancel_futures=True)
