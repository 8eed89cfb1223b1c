"""Seats for requests without a session (MCP 2026-07-28) that no token or header names: one for each calling process.

A session tells which requests belong together; here it is the process of this machine behind the connection, where
the server can see it. So two clients of one program are two agents, and a model's arguments decide nothing. Where no
process is seen, a request is on its own and may only look.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from starlette.types import Scope

from comity.doors.mcp_http.seat import Agents, HttpSeat
from comity.server.auth.principal import Principal

_MOST = 500
Process = tuple[int, str]


class Processes(Protocol):
    """What can be seen of the processes of this machine."""

    @property
    def agents(self) -> Agents: ...

    async def process_of(self, scope: Scope) -> Process | None: ...

    def lives(self, process: Process) -> bool: ...

    async def work(self, function: Callable[[], Any]) -> Any: ...


class Visitors:
    """The seats of processes that sent requests without a session."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._seats: OrderedDict[tuple[Process, Principal], HttpSeat] = OrderedDict()

    async def seat(self, principal: Principal, scope: Scope) -> HttpSeat:
        """Whose request it is."""
        process = None if principal.agent_id else await self._processes.process_of(scope)
        if process is None:
            return HttpSeat(self._processes.agents, principal, lasting=False)
        key = process, principal
        found = self._seats.get(key)
        if found is None:
            found = self._seats[key] = HttpSeat(self._processes.agents, principal, lasting=True)
            if len(self._seats) > _MOST:
                self._seats.popitem(last=False)  # its agent's session lives on until its lease is over
        self._seats.move_to_end(key)
        return found

    async def tidy(self) -> None:
        """End the agents of processes that are gone, so that what they held is free."""
        for key, seat in list(self._seats.items()):
            if await self._processes.work(partial(self._processes.lives, key[0])):
                continue
            self._seats.pop(key, None)
            if seat.made:
                await self._processes.work(partial(seat.end, "its process ended"))
