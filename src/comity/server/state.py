"""The state of one running server, which every route works with."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from comity.kernel.call import Key
from comity.kernel.problem import Conflict
from comity.kernel.registry import AnyOp
from comity.kernel.steps import Report
from comity.kernel.trace import TRACEPARENT
from comity.rooms import REGISTRY
from comity.rooms.agents.model import UNREGISTERED
from comity.server.address import ServerAddress
from comity.server.auth.authority import Authority
from comity.server.auth.principal import Principal
from comity.server.bounds import Bodies
from comity.server.callers import Callers
from comity.server.calls import NOT_NOW, Calls
from comity.server.connections import Connections
from comity.server.feed.feed import Feed
from comity.server.feed.streams import Streams
from comity.server.peer import Peers
from comity.server.request_record import RequestRecord
from comity.server.seats import OwnSeat, Seat, Seats
from comity.workspace import Cancel, Workspace


class RequestWatcher(Protocol):
    """Is told of every request: the log, the metrics, the traces. It must not fail, and not take long."""

    def request_began(self, record: RequestRecord) -> None: ...

    def request_ended(self, record: RequestRecord) -> None: ...


class ServerState:
    """One running server: its store, who may do what, the agents it acts for, and the log as it grows.

    ``workspace`` is the server's own: it is no agent. ``ready`` becomes true once requests may come, ``ending`` when
    the server is about to stop. ``open`` are requests and streams that are not over; ``at_end`` tells those who listen,
    the last one first, when the server ends. ``listening``: the connections of each listener. ``figures`` are those of
    ``/metrics``; ``tool_called`` is told each call of an MCP tool that exists, and its outcome.
    """

    def __init__(self, workspace: Workspace, authority: Authority, address: ServerAddress) -> None:
        self.workspace = workspace
        self.authority = authority
        self.peers = Peers()
        self.callers = Callers(authority, self.peers)
        self.address = address
        self.feed = Feed(workspace)
        self.calls = Calls(self.feed)
        self.seats = Seats(workspace, authority)
        self.bodies = Bodies(largest_bytes=address.max_body_bytes)
        self.streams = Streams(self.feed, authority, self.calls.work)
        self.instance = secrets.token_hex(8)
        self.started = time.monotonic()
        self.ready = False
        self.ending = False
        self.open: set[RequestRecord] = set()
        self.watchers: list[RequestWatcher] = []
        self.figures: Callable[[], Awaitable[bytes]] | None = None
        self.tool_called: Callable[[str, str], None] = _unheard
        self.listening: list[Connections] = []
        self.at_end: list[Callable[[], Awaitable[None]]] = [self.streams.close]

    def request_began(self, record: RequestRecord) -> None:
        """A request has come."""
        self.open.add(record)
        TRACEPARENT.set(record.traceparent)
        for watcher in self.watchers:
            watcher.request_began(record)

    def request_ended(self, record: RequestRecord) -> None:
        """A request is over."""
        self.open.discard(record)
        for watcher in self.watchers:
            watcher.request_ended(record)

    async def call(
        self,
        principal: Principal,
        called: str | AnyOp,
        arguments: Mapping[str, object],
        cancel: Cancel | None = None,
        report: Report | None = None,
        key: Key | None = None,
    ) -> Any:
        """An operation, by name or at hand, for a principal. Raises Problem."""
        op = REGISTRY.get(called) if isinstance(called, str) else called
        return await self.run(OwnSeat(self.seats, principal), op, arguments, cancel, report, key)

    async def run(
        self,
        seat: Seat,
        op: AnyOp,
        arguments: Mapping[str, object],
        cancel: Cancel | None = None,
        report: Report | None = None,
        key: Key | None = None,
    ) -> Any:
        """Run an operation for the agent of a seat; once more, registered again, when its session ended meanwhile."""
        workspace = seat.known(op)
        lost: Workspace | None = None
        while True:
            if workspace is None:
                workspace = await self.calls.work(partial(seat.take, op, lost))
            recheck = partial(self.authority.recheck, seat.principal, seat.agent_id)
            try:
                return await self.calls.perform(workspace, op, arguments, cancel, report, recheck, key)
            except Conflict as conflict:
                if lost is not None or conflict.reason not in UNREGISTERED:
                    raise
            workspace, lost = None, workspace

    def at_once(self, seat: Seat, op: AnyOp, arguments: Mapping[str, object], key: Key | None = None) -> Any:
        """As ``run`` where the call need not wait; else NOT_NOW, and nothing is done. Raises Problem."""
        workspace = seat.known(op)
        if workspace is None:
            return NOT_NOW
        try:
            return self.calls.at_once(workspace, op, arguments, key)
        except Conflict as conflict:
            if conflict.reason not in UNREGISTERED:
                raise
            return NOT_NOW

    async def read(self, name: str, **arguments: object) -> Any:
        """An operation on behalf of the server itself."""
        return await self.calls.perform(self.workspace, REGISTRY.get(name), arguments)


def _unheard(_tool: str, _outcome: str) -> None:
    return
