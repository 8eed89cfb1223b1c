"""Seats for requests without a session (MCP 2026-07-28) that no token or header names: one for each calling process.

A session tells which requests belong together; here it is the process of this machine behind the connection, where
the server can see it. So two clients of one program are two agents, and a model's arguments decide nothing. Where no
process is seen, a request is on its own and may only look.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from starlette.types import Scope

from comity.doors.mcp_http.seat import HttpSeat
from comity.server.address import LOOPBACK
from comity.server.auth.principal import Principal
from comity.server.callers import connection
from comity.server.socket_holders import Process, lives
from comity.server.state import ServerState

_MOST = 500


class LoneSeats:
    """The seats of processes that sent requests without a session."""

    def __init__(self, server: ServerState) -> None:
        self._server = server
        self._seats: OrderedDict[tuple[Process, Principal], HttpSeat] = OrderedDict()

    async def seat(self, principal: Principal, scope: Scope) -> HttpSeat:
        """Whose request it is."""
        process = None if principal.agent_id else await self._process_of(scope)
        if process is None:
            return HttpSeat(self._server.seats, principal, lasting=False)
        key = process, principal
        found = self._seats.get(key)
        if found is None:
            found = self._seats[key] = HttpSeat(self._server.seats, principal, lasting=True)
            if len(self._seats) > _MOST:
                self._seats.popitem(last=False)  # its agent's session lives on until its lease is over
        self._seats.move_to_end(key)
        return found

    async def _process_of(self, scope: Scope) -> Process | None:
        """The process of this machine that sent a request, if that can be seen."""
        client, server = connection(scope)
        if client is None or server is None or client[0] not in LOOPBACK:
            return None
        found: Process | None = await self._server.calls.work(partial(self._server.peers.behind, client, server))
        return found

    async def tidy(self) -> None:
        """End the agents of processes that are gone, so that what they held is free."""
        for key, seat in list(self._seats.items()):
            if await self._server.calls.work(partial(lives, key[0])):
                continue
            self._seats.pop(key, None)
            if seat.made:
                await self._server.calls.work(partial(seat.end, "its process ended"))
