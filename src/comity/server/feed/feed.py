"""Follows the log on the event loop, and tells whoever waits there that something may have been committed.

Waking is a hint: a listener that is woken reads the log from its own cursor (``event.list``). Who wants the events
themselves listens at the hub, which reads them once for all, on the one thread of this module.

The bell rings on the loop, not on a thread: most commits are this server's own, and a thread that each of them wakes
would take its turn to compute from the very call that has just committed.
"""

from __future__ import annotations

import asyncio
import threading

from comity.kernel.problem import Unavailable
from comity.server.feed.hub import Hub
from comity.workspace import Workspace

_AGAIN_S = 0.25  # after a look of the hub that failed


class Feed:
    """Coroutines wait for commits by any process; the hub's listeners are handed what is new."""

    def __init__(self, workspace: Workspace) -> None:
        self.hub = Hub(workspace)
        self._workspace = workspace
        self._loop: asyncio.AbstractEventLoop | None = None
        self._next = asyncio.Event()
        self._new = threading.Event()  # something is in the log that the hub has not looked at
        self._over = threading.Event()
        self._due: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._hand_out, name="comity-feed", daemon=True)

    def start(self) -> None:
        """Begin to follow, on behalf of the running event loop."""
        self._loop = asyncio.get_running_loop()
        self._waiter = self._workspace.store.waiter(())
        self.hub.start()
        self._thread.start()
        if self._waiter.descriptor >= 0:
            self._loop.add_reader(self._waiter.descriptor, self._listen)
        self._look_now_and_then()

    def stop(self) -> None:
        """End: waiting calls are woken, listeners are told."""
        self._forget()
        self._over.set()
        self.hub.end("shutdown")
        self._new.set()
        self._thread.join()
        self._waiter.close()
        self.hub.close()
        self.wake()

    def mark(self) -> asyncio.Event:
        """What will be set by the next commit: take it before the look that may find nothing."""
        return self._next

    def wake(self) -> None:
        """Set the present mark."""
        woken, self._next = self._next, asyncio.Event()
        woken.set()

    def _look_now_and_then(self) -> None:
        """Look also for commits that rang no bell."""
        assert self._loop is not None, "it follows once it was started"
        self._due = self._loop.call_later(self._waiter.period_s, self._look_now_and_then)
        self._look()

    def _listen(self) -> None:
        if self._waiter.rang():
            self._tell()

    def _look(self) -> None:
        try:
            if self._waiter.wait(0):
                self._tell()
        except Unavailable:  # the database is another one: nothing comes any more, and every call says so
            self._forget()
            self.hub.end("replaced")
            self.wake()

    def _tell(self) -> None:
        self._new.set()
        self.wake()

    def _forget(self) -> None:
        assert self._loop is not None, "it follows once it was started"
        if self._due is not None:
            self._due.cancel()
        if self._waiter.descriptor >= 0:
            self._loop.remove_reader(self._waiter.descriptor)

    def _hand_out(self) -> None:
        assert self._loop is not None, "it follows once it was started"
        pace_s = 0.0
        while not self._over.wait(pace_s):
            self._new.wait()
            self._new.clear()
            if self.hub.look(self._loop):
                pace_s = self.hub.pace_s()
            else:
                self._new.set()
                pace_s = _AGAIN_S
