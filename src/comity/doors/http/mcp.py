"""Where MCP is spoken on the server, and with which tools."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import Receive, Send

from comity.doors.auth.principal import Principal
from comity.doors.http.house import House
from comity.doors.http.route import Exchange, Route
from comity.doors.http.seats import Seats
from comity.doors.mcp.dialect import Dialect
from comity.doors.mcp.http import Endpoint, McpHttp
from comity.doors.mcp.macp import MacpDialect
from comity.doors.mcp.masc import MascDialect
from comity.doors.mcp.operator import OperatorDialect

PATH, OPERATOR = "/mcp", "/mcp/operator"
GRANT = "session.start"
SETS: tuple[tuple[str, Callable[[], Dialect]], ...] = (
    ("masc", MascDialect),
    ("macp", MacpDialect),
    ("core", partial(MacpDialect, "core")),
    ("workspace", partial(MacpDialect, "workspace")),
)


def routes() -> tuple[Route, ...]:
    """The MCP endpoints."""
    app = _App()
    about = ((PATH, GRANT, False), (OPERATOR, GRANT, True))
    return tuple(
        Route(method, path, grant, f"MCP: {summary}", app=partial(app.answer, path), token=token)
        for path, grant, token in about
        for method, summary in (("POST", "one message"), ("GET", "a session's stream"), ("DELETE", "end a session"))
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

    def mark(self) -> asyncio.Event:
        """What will be set by the next commit."""
        return self._house.feed.mark()

    async def read(self, name: str, **arguments: object) -> Any:
        """An operation on behalf of the server itself."""
        return await self._house.read(name, **arguments)

    def still(self, principal: Principal) -> bool:
        """Whether somebody who was let in would be let in now."""
        return self._house.authority.still(principal)


class _App:
    """One server's MCP endpoints, made when the first of them is asked for."""

    def __init__(self) -> None:
        self._mcp: McpHttp | None = None

    async def answer(self, path: str, exchange: Exchange, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._mcp is None:
            house = exchange.house
            endpoints = (*(Endpoint(PATH, *one) for one in SETS), Endpoint(OPERATOR, "", OperatorDialect))
            self._mcp = McpHttp(Hall(house), endpoints, max_body_bytes=house.place.max_body_bytes)
            house.at_end.append(self._mcp.close)
        tools = "" if path == OPERATOR else exchange.request.query_params.get("tools", "masc")
        await self._mcp.handle(path, tools, exchange.principal, exchange.scope, receive, send)
