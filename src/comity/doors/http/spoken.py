"""The MCP endpoints of one server, with the tools of each. Heavy to load: the SDK comes along."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import Scope

from comity.doors.auth.principal import Principal
from comity.doors.http.house import House
from comity.doors.http.mcp import DEFAULT, OPERATOR, PATH
from comity.doors.http.peer import Peers, Process, lives
from comity.doors.http.place import LOOPBACK
from comity.doors.http.seats import Seats
from comity.doors.mcp.dialect import Dialect
from comity.doors.mcp.http.endpoints import Endpoint, McpHttp
from comity.doors.mcp.macp import MacpDialect
from comity.doors.mcp.masc.dialect import MascDialect
from comity.doors.mcp.operator import OperatorDialect
from comity.doors.mcp.together import Together

SETS: tuple[tuple[str, Callable[[], Dialect]], ...] = (
    (DEFAULT, MascDialect),
    ("macp", MacpDialect),
    ("core", partial(MacpDialect, "core")),
    ("workspace", partial(MacpDialect, "workspace")),
    ("all", Together),
)


class Hall:
    """The house as MCP needs it."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._peers = Peers()

    @property
    def agents(self) -> Seats:
        """The agents that the server acts for."""
        return self._house.seats

    @property
    def ending(self) -> bool:
        """Whether the server is about to stop."""
        return self._house.ending

    async def work(self, function: Callable[[], Any]) -> Any:
        """What a function answers, from a worker thread."""
        return await self._house.calls.work(function)

    async def brief(self, name: str, function: Callable[[], Any], *, writes: bool) -> Any:
        """What a function of this name answers: at once if that has been quick, else from a worker thread."""
        return await self._house.calls.brief(self._house.workspace, name, function, writes=writes)

    def mark(self) -> asyncio.Event:
        """What will be set by the next commit."""
        return self._house.feed.mark()

    def tool_called(self, tool: str, outcome: str) -> None:
        """A tool was called: ok, or the kind of Problem."""
        self._house.tool_called(tool, outcome)

    async def read(self, name: str, **arguments: object) -> Any:
        """An operation on behalf of the server itself."""
        return await self._house.read(name, **arguments)

    async def process_of(self, scope: Scope) -> Process | None:
        """The process of this machine that sent a request, if that can be seen."""
        client = scope.get("client")
        if client is None or client[0] not in LOOPBACK:
            return None
        port = int(client[1])  # granian tells it as text
        found: Process | None = await self.work(partial(self._peers.behind, port, self._house.place.port))
        return found

    def lives(self, process: Process) -> bool:
        """Whether a process is still there."""
        return lives(process)

    def still(self, principal: Principal) -> bool:
        """Whether somebody who was let in would be let in now."""
        return self._house.authority.still(principal)


def make(house: House, **bounds: Any) -> McpHttp:
    """The MCP endpoints of one house."""
    endpoints = (*(Endpoint(PATH, *one) for one in SETS), Endpoint(OPERATOR, "", OperatorDialect))
    return McpHttp(Hall(house), endpoints, max_body_bytes=house.place.max_body_bytes, **bounds)
