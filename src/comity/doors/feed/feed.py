"""Follows the log on one thread and tells the event loop whenever something may have been committed.

Waking is a hint: whoever is woken reads the log from a cursor of its own (``event.list``).
"""

from __future__ import annotations

import asyncio
import threading

from comity.workspace import Workspace

_LOOK_S = 1.0  # how often to see whether to stop


class Feed:
    """One thread waits for commits by any process; coroutines wait for it."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next = asyncio.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="comity-feed", daemon=True)

    def start(self) -> None:
        """Begin to follow, on behalf of the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._waiter = self._workspace.store.waiter(())
        self._thread.start()

    def stop(self) -> None:
        """End; whoever waits is woken."""
        self._over.set()
        self._waiter.cancel()
        self._thread.join()
        self._wake()

    async def changed(self, timeout_s: float) -> bool:
        """Wait for the next commit. False when the time is over."""
        try:
            await asyncio.wait_for(self._next.wait(), timeout_s)
        except TimeoutError:
            return False
        return True

    def mark(self) -> asyncio.Event:
        """What will be set by the next commit: take it before the look that may find nothing."""
        return self._next

    def _follow(self) -> None:
        try:
            while not self._over.is_set():
                if self._waiter.wait(_LOOK_S):
                    self._tell()
        finally:
            self._waiter.close()

    def _tell(self) -> None:
        assert self._loop is not None, "it follows once it was started"
        self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        woken, self._next = self._next, asyncio.Event()
        woken.set()
