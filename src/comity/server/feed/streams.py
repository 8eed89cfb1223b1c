"""Open streams: how many there may be, whether their clients still may listen, and that agents live meanwhile.

Once a second it looks at each stream: one that was silent for long gets a sign of life, which also shows whether
somebody is there; one whose token ended is ended; one that took nothing for a minute is cut off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

from comity.kernel.problem import Limited, Problem
from comity.rooms.lifecycle.history import EventFilter
from comity.server.auth.authority import Authority
from comity.server.auth.principal import Principal
from comity.server.feed.feed import Feed
from comity.server.feed.kinds import Audience, Framing, StreamKind
from comity.server.feed.listener import LogListener
from comity.server.sse import BEAT_S
from comity.workspace import Workspace

MOST = 1000  # streams at once
MOST_EACH = 600  # from one client
STUCK_S = 60.0
LOOK_S = 1.0
CLOSE_S = 1.0
Work = Callable[[Callable[[], Any]], Awaitable[Any]]


class Stream:
    """One connection: who listens, and the task that sends. A WebSocket has any number of listeners, also none."""

    def __init__(self, principal: Principal, client: str, workspace: Workspace | None, *, socket: bool) -> None:
        self.socket = socket
        self.principal = principal
        self.client = client
        self.workspace = workspace
        self.task = asyncio.current_task()
        self.listeners: dict[object, LogListener] = {}
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.ended = ""

    def end(self, why: str) -> None:
        """Have it end and say why."""
        if not self.ended:
            self.ended = why
            self.over.set_result(None)
        for listener in self.listeners.values():
            listener.end(why)


class Streams:
    """The streams of one server. Used on the event loop; ``work`` runs what may write on a worker thread."""

    def __init__(self, feed: Feed, authority: Authority, work: Work) -> None:
        self.feed = feed
        self._authority = authority
        self._work = work
        self._open: dict[Stream, None] = {}
        self._clients: dict[str, int] = {}
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._open)

    @property
    def sockets(self) -> int:
        """How many of them are WebSockets."""
        return sum(stream.socket for stream in self._open)

    def enter(self, principal: Principal, client: str, workspace: Workspace | None, *, socket: bool = False) -> Stream:
        """Begin one, as the current task. Raises Limited ``stream.too_many``. Give it back with ``leave``."""
        who = principal.token_id or client
        for most, number in ((MOST, len(self._open)), (MOST_EACH, self._clients.get(who, 0))):
            if number >= most:
                raise Limited(
                    "stream.too_many",
                    f"{number} streams are open already.",
                    "Close one first; one stream with a filter of several types does for most.",
                    retryAfterS=10,
                    most=most,
                )
        stream = Stream(principal, who, workspace, socket=socket)
        self._open[stream] = None
        self._clients[who] = self._clients.get(who, 0) + 1
        if self._task is None:
            self._task = asyncio.create_task(self._watch())
        return stream

    def leave(self, stream: Stream) -> None:
        """It is over."""
        for listener in stream.listeners.values():
            listener.close()
        del self._open[stream]
        self._clients[stream.client] -= 1
        if not self._clients[stream.client]:
            del self._clients[stream.client]

    def listen(
        self, stream: Stream, key: object, framing: Framing, wanted: EventFilter, after: int | None, newest: int = 0
    ) -> LogListener:
        """Let a stream hear events after a position; without one from now on, or from the ``newest`` few."""
        audience = Audience("" if self._oversees(stream) else stream.principal.agent_id or "", self._oversees(stream))
        listener = stream.listeners[key] = self.feed.hub.attach(StreamKind(framing, wanted, audience), after, newest)
        return listener

    async def close(self) -> None:
        """End every stream; one that does not take its end is cut off."""
        for stream in list(self._open):
            stream.end("shutdown")
        tasks = [stream.task for stream in self._open if stream.task is not None]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=CLOSE_S)
            for task in late:
                task.cancel()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _oversees(self, stream: Stream) -> bool:
        return stream.principal.role == "admin"

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            now = time.monotonic()
            for stream in list(self._open):
                _look(stream, now)
            if self._open:
                with suppress(Problem):  # the database is locked or away: at the next look
                    await self._check()

    async def _check(self) -> None:
        """End the streams of clients that would not be let in now; say that the agents of the others live."""
        principals = {stream.principal for stream in self._open}
        gone = await self._work(partial(self._not_still, principals))
        for stream in list(self._open):
            if stream.principal in gone:
                stream.end("token")
        living = {id(stream.workspace): stream.workspace for stream in self._open if stream.workspace is not None}
        await self._work(partial(_renew, list(living.values())))

    def _not_still(self, principals: set[Principal]) -> set[Principal]:
        return {principal for principal in principals if not self._authority.still(principal)}


def _look(stream: Stream, now: float) -> None:
    for listener in stream.listeners.values():
        if listener.busy_since and now - listener.busy_since > STUCK_S and stream.task is not None:
            stream.task.cancel()
        elif not listener.busy_since and now - listener.told_at > BEAT_S:
            listener.beat()


def _renew(workspaces: list[Workspace]) -> None:
    for workspace in workspaces:
        workspace.renew_if_due()
