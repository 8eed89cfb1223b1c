"""What everything behind the server's routes works with."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol

from comity.kernel.problem import Conflict
from comity.kernel.registry import AnyOp
from comity.kernel.steps import Report
from comity.kernel.trace import TRACEPARENT
from comity.rooms import REGISTRY
from comity.rooms.agents.model import UNREGISTERED
from comity.server.address import Place
from comity.server.auth.authority import Authority
from comity.server.auth.principal import Principal
from comity.server.bounds import Bodies
from comity.server.callers import Callers
from comity.server.calls import Calls
from comity.server.connections import Connections
from comity.server.feed.feed import Feed
from comity.server.feed.streams import Streams
from comity.server.peer import Peers
from comity.server.request_record import Record
from comity.server.seats import Seats
from comity.workspace import Cancel, Workspace


class Witness(Protocol):
    """Hears of every request: the log, the metrics, the traces. It must not fail, and not take long."""

    def begun(self, record: Record) -> None: ...

    def told(self, record: Record) -> None: ...


class House:
    """One running server: its store, who may do what, the agents it acts for, and the log as it grows.

    ``workspace`` is the server's own: it is no agent. ``ready`` becomes true once requests may come, ``ending`` when
    the server is about to stop. ``open`` are requests and streams that are not over; ``at_end`` tells those who listen,
    the last one first, when the server ends. ``listening``: the connections of each listener. ``figures`` are those of
    ``/metrics``; ``tool_called`` is told each call of an MCP tool that exists, and its outcome.
    """

    def __init__(self, workspace: Workspace, authority: Authority, place: Place) -> None:
        self.workspace = workspace
        self.authority = authority
        self.peers = Peers()
        self.callers = Callers(authority, self.peers)
        self.place = place
        self.feed = Feed(workspace)
        self.calls = Calls(self.feed)
        self.seats = Seats(workspace, authority)
        self.bodies = Bodies(largest_bytes=place.max_body_bytes)
        self.streams = Streams(self.feed, authority, self.calls.work)
        self.instance = secrets.token_hex(8)
        self.started = time.monotonic()
        self.ready = False
        self.ending = False
        self.open: set[Record] = set()
        self.witnesses: list[Witness] = []
        self.figures: Callable[[], Awaitable[bytes]] | None = None
        self.tool_called: Callable[[str, str], None] = _unheard
        self.listening: list[Connections] = []
        self.at_end: list[Callable[[], Awaitable[None]]] = [self.streams.close]

    def begun(self, record: Record) -> None:
        """A request has come."""
        self.open.add(record)
        TRACEPARENT.set(record.traceparent)
        for witness in self.witnesses:
            witness.begun(record)

    def told(self, record: Record) -> None:
        """A request is over."""
        self.open.discard(record)
        for witness in self.witnesses:
            witness.told(record)

    async def call(
        self,
        principal: Principal,
        called: str | AnyOp,
        arguments: Mapping[str, object],
        cancel: Cancel | None = None,
        report: Report | None = None,
    ) -> Any:
        """An operation, by name or at hand, for a principal; once more when the agent's session ended meanwhile."""
        op = REGISTRY.get(called) if isinstance(called, str) else called
        recheck = partial(self.authority.recheck, principal)
        workspace = self.seats.known(principal) or await self.calls.work(partial(self.seats.seat, principal, op))
        try:
            return await self.calls.perform(workspace, op, arguments, cancel, report, recheck)
        except Conflict as conflict:
            if conflict.reason not in UNREGISTERED:
                raise
        self.seats.leave(workspace)
        workspace = await self.calls.work(partial(self.seats.seat, principal, op))
        return await self.calls.perform(workspace, op, arguments, cancel, report, recheck)

    async def read(self, name: str, **arguments: object) -> Any:
        """An operation on behalf of the server itself."""
        return await self.calls.run(self.workspace, name, arguments)


def _unheard(_tool: str, _outcome: str) -> None:
    return
