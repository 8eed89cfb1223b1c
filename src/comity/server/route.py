"""One route: its method and path, the grant that it needs, and what answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from comity.server.auth.principal import Principal
from comity.server.state import ServerState

OPEN = ""  # no grant is needed, and no token is looked at: health and discovery
Handler = Callable[["Exchange"], Awaitable[Response]]
App = Callable[["Exchange", Receive, Send], Awaitable[None]]


class Exchange(NamedTuple):
    """One request as handlers get it."""

    server: ServerState
    request: Request
    principal: Principal
    request_id: str

    @property
    def scope(self) -> Scope:
        """The ASGI scope."""
        return self.request.scope


class Route(NamedTuple):
    """``grant`` is the operation that a caller must be allowed to run; OPEN: anybody may.

    ``answer`` makes a response; ``app`` speaks ASGI itself (streams, MCP). ``socket``: a WebSocket's. ``mcp``: a
    refusal is a JSON-RPC error. ``token``: only with a token, also on an open server.
    """

    method: str
    path: str
    grant: str
    summary: str
    answer: Handler | None = None
    app: App | None = None
    socket: bool = False
    token: bool = False
    documentation: dict[str, Any] | None = None


class RouteTable:
    """Every route of the server, by path and method. What is not in it is denied."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._by_path: dict[str, dict[str, Route]] = {}
        for route in routes:
            methods = self._by_path.setdefault(route.path, {})
            assert route.method not in methods, f"two routes for {route.method} {route.path}"
            methods[route.method] = route

    def find(self, method: str, path: str) -> Route | None:
        """The route, if there is one. HEAD is a GET whose body is not sent."""
        methods = self._by_path.get(path)
        return methods.get("GET" if method == "HEAD" else method) if methods else None

    def methods(self, path: str) -> list[str]:
        """Which methods a path knows; none: no such path."""
        found = sorted(self._by_path.get(path, ()))
        return [*found, "HEAD"] if "GET" in found else found
