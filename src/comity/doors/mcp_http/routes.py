"""The routes of MCP: one endpoint for each path and tool set."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.types import Receive, Send

from comity.dialects.both import Together
from comity.dialects.dialect import Dialect
from comity.dialects.macp.dialect import MacpDialect
from comity.dialects.masc.dialect import MascDialect
from comity.dialects.operator import OperatorDialect
from comity.doors.mcp_http.endpoints import Endpoint, McpHttp
from comity.server.route import Exchange, Route
from comity.server.state import ServerState

OLD_STREAM, OLD_MESSAGES = "/sse", "/messages"
GRANT = "session.start"
PATH, OPERATOR = "/mcp", "/mcp/operator"
DEFAULT = "masc"  # the tools of clients that name none
SETS: tuple[tuple[str, Callable[[], Dialect]], ...] = (
    (DEFAULT, MascDialect),
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


def make(server: ServerState, **bounds: Any) -> McpHttp:
    """The MCP endpoints of one server."""
    endpoints = (*(Endpoint(PATH, *one) for one in SETS), Endpoint(OPERATOR, "", OperatorDialect))
    return McpHttp(server, endpoints, **bounds)


class _App:
    """One server's MCP endpoints, made when the first of them is asked for."""

    def __init__(self) -> None:
        self._mcp: McpHttp | None = None

    async def answer(self, path: str, exchange: Exchange, receive: Receive, send: Send) -> None:
        """Answer one request."""
        tools = "" if path == OPERATOR else _tools(exchange)
        await self._of(exchange.server).handle(path, tools, exchange.principal, exchange.scope, receive, send)

    async def old_stream(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """The stream of the old transport."""
        mcp = self._of(exchange.server)
        await mcp.old_stream(_tools(exchange), exchange.principal, exchange.scope, receive, send)

    async def old_message(self, exchange: Exchange, receive: Receive, send: Send) -> None:
        """One message of the old transport."""
        session_id = exchange.request.query_params.get("session_id")
        headers = exchange.request.headers
        await self._of(exchange.server).old_message(session_id, exchange.principal, headers, receive, send)

    def _of(self, server: ServerState) -> McpHttp:
        if self._mcp is None:
            self._mcp = make(server)
            server.at_end.append(self._mcp.close)
        return self._mcp


def _tools(exchange: Exchange) -> str:
    return exchange.request.query_params.get("tools", DEFAULT)
