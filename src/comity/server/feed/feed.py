"""Follows the log on one thread and tells the event loop whenever something may have been committed.

Waking is a hint: a listener that is woken reads the log from its own cursor (``event.list``). Who wants the events
themselves listens at the hub, which reads them once for all.
"""

from __future__ import annotations

import asyncio
import threading
import time

from comity.kernel.problem import Unavailable
from comity.server.feed.hub import Hub
from comity.workspace import Workspace

_LOOK_S = 1.0  # how often to see whether to stop
_AGAIN_S = 0.25  # after a look that failed


class Feed:
    """One thread waits for commits by any process; coroutines wait for it."""

    def __init__(self, workspace: Workspace) -> None:
        self.hub = Hub(workspace)
        self._workspace = workspace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next = asyncio.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="comity-feed", daemon=True)

    def start(self) -> None:
        """Begin to follow, on behalf of the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._waiter = self._workspace.store.waiter(())
        self.hub.start()
        self._thread.start()

    def stop(self) -> None:
        """End: waiting calls are woken, listeners are told."""
        self._over.set()
        self.hub.end("shutdown")
        self._waiter.cancel()
        self._thread.join()
        self.hub.close()
        self.wake()

    def mark(self) -> asyncio.Event:
        """What will be set by the next commit: take it before the look that may find nothing."""
        return self._next

    def _follow(self) -> None:
        assert self._loop is not None, "it follows once it was started"
        due, new = 0.0, False
        try:
            while not self._over.is_set():
                if self._waiter.wait(max(0.0, due - time.monotonic()) if new else _LOOK_S):
                    self._tell()
                    new = True
                if new and time.monotonic() >= due:
                    new = not self.hub.look(self._loop)
                    due = time.monotonic() + (_AGAIN_S if new else self.hub.pace_s())
        except Unavailable:  # the database is another one: nothing comes any more, and every call says so
            self._loop.call_soon_threadsafe(self.hub.end, "replaced")
            self._tell()
        finally:
            self._waiter.close()

    def _tell(self) -> None:
        assert self._loop is not None, "it follows once it was started"
        self._loop.call_soon_threadsafe(self.wake)

    def wake(self) -> None:
        """Set the present mark."""
        woken, self._next = self._next, asyncio.Event()
        woken.set()
