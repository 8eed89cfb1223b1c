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
from comity.doors.mcp.http import OLD_MESSAGES, Endpoint, McpHttp
from comity.doors.mcp.macp import MacpDialect
from comity.doors.mcp.masc import MascDialect
from comity.doors.mcp.operator import OperatorDialect
from comity.doors.mcp.together import Together

PATH, OPERATOR = "/mcp", "/mcp/operator"
OLD_STREAM = "/sse"
GRANT = "session.start"
SETS: tuple[tuple[str, Callable[[], Dialect]], ...] = (
    ("masc", MascDialect),
    ("macp", MacpDialect),
    ("core", partial(MacpDialect, "core")),
    ("workspace", partial(MacpDialect, "workspace")),
    ("all", Together),
)


def routes() -> tuple[Route, ...]:
    """The MCP endpoints."""
    app = _App()
    old = (
        Route("GET", OLD_STREAM, GRANT, "MCP of 2024-11-05: the stream (deprecated)", app=app.old_stream),
        Route("POST", OLD_MESSAGES, GRANT, "MCP of 2024-11-05: one message (deprecated)", app=app.old_message),
    )
    about = ((PATH, GRANT, False), (OPERATOR, GRANT, True))
    return old + tuple(
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
        tools = "" if path == OPERATOR else _tools(exchange)
        await self._of(exchange.house).handle(path, tools, exchange.principal, exchange.scope, receive, send)

    async def old_stream(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """The stream of the old transport."""
        await self._of(exchange.house).old_stream(_tools(exchange), exchange.principal, receive, send)

    async def old_message(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """One message of the old transport."""
        session_id = exchange.request.query_params.get("session_id")
        headers = exchange.request.headers
        await self._of(exchange.house).old_message(session_id, exchange.principal, headers, receive, send)

    def _of(self, house: House) -> McpHttp:
        if self._mcp is None:
            self._mcp = make(house)
            house.at_end.append(self._mcp.close)
        return self._mcp


def make(house: House, **bounds: Any) -> McpHttp:
    """The MCP endpoints of one house."""
    endpoints = (*(Endpoint(PATH, *one) for one in SETS), Endpoint(OPERATOR, "", OperatorDialect))
    return McpHttp(Hall(house), endpoints, max_body_bytes=house.place.max_body_bytes, **bounds)


def _tools(exchange: Exchange) -> str:
    return exchange.request.query_params.get("tools", SETS[0][0])
