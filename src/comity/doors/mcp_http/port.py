"""The MCP endpoints of one server, with the tools of each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import Scope

from comity.dialects.both import Together
from comity.dialects.dialect import Dialect
from comity.dialects.macp.dialect import MacpDialect
from comity.dialects.masc.dialect import MascDialect
from comity.dialects.operator import OperatorDialect
from comity.doors.mcp_http.endpoints import Endpoint, McpHttp
from comity.server.address import LOOPBACK
from comity.server.auth.principal import Principal
from comity.server.callers import connection
from comity.server.calls import told_by
from comity.server.connections import whose
from comity.server.peer import lives
from comity.server.seats import Seats
from comity.server.sockets import Process
from comity.server.state import House

PATH, OPERATOR = "/mcp", "/mcp/operator"
DEFAULT = "masc"  # the tools of whoever names none
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

    async def client_of(self, scope: Scope, principal: Principal) -> str:
        """Whose a request is: the token's, else the process'."""
        return await whose(scope, principal)

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
        client, server = connection(scope)
        if client is None or server is None or client[0] not in LOOPBACK:
            return None
        found: Process | None = await self.work(partial(self._house.peers.behind, client, server))
        return found

    def lives(self, process: Process) -> bool:
        """Whether a process is still there."""
        return lives(process)

    def still(self, principal: Principal, agent_id: str | None = None) -> bool:
        """Whether somebody who was let in, and came to be this agent, would be let in now."""
        return self._house.authority.still(principal, agent_id)

    async def told(self, mark: asyncio.Event, end: float, principal: Principal, agent_id: str | None) -> bool:
        """Wait for a mark until a time of the loop's clock. Raises Problem once the caller may wait no longer."""
        return await told_by(mark, end, partial(self._house.authority.recheck, principal, agent_id))


def make(house: House, **bounds: Any) -> McpHttp:
    """The MCP endpoints of one house."""
    endpoints = (*(Endpoint(PATH, *one) for one in SETS), Endpoint(OPERATOR, "", OperatorDialect))
    return McpHttp(Hall(house), endpoints, **bounds)
