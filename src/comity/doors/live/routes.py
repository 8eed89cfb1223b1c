"""Routes of live events: SSE and WebSocket, who may listen, and as which agent."""

from __future__ import annotations

import secrets
import sys
import traceback
from functools import partial
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from comity.doors.live import event_stream
from comity.doors.live.subscription import from_query
from comity.doors.live.ws import Socket
from comity.kernel.call import Key
from comity.kernel.problem import Internal, Invalid
from comity.rooms import REGISTRY
from comity.server.agent_header import a_name, name_in
from comity.server.answers import json_response
from comity.server.application import Application
from comity.server.arguments import Arguments
from comity.server.auth.principal import Principal
from comity.server.connections import whose
from comity.server.documentation import described, plain
from comity.server.encoding import said
from comity.server.problems import unexpected
from comity.server.route import OPEN, Exchange, Route, RouteTable
from comity.server.state import ServerState
from comity.workspace import Workspace

GRANT = "event.list"
_SOCKET = "A WebSocket: events and calls in one JSON envelope"
_TEXT = {"type": "string"}
_NUMBER = {"type": "integer", "minimum": 0}


def _parameter(name: str, schema: dict[str, Any], told: str, where: str = "query") -> dict[str, Any]:
    return {"name": name, "in": where, "required": False, "schema": schema, "description": told}


_ASKED = (
    _parameter(
        "types",
        {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z0-9_.*:-]{1,100}$"}, "maxItems": 50},
        "Only these types; task.* is every type that begins so.",
    ),
    _parameter("agent", {**_TEXT, "minLength": 1, "maxLength": 200}, "Only events about this agent."),
    _parameter("channel", {**_TEXT, "minLength": 1, "maxLength": 200}, "Only events in this channel."),
    _parameter("minPriority", {**_NUMBER, "maximum": 3}, "Only events of messages at least this urgent."),
    _parameter("newest", {**_NUMBER, "maximum": 1000}, "Begin with this many of the newest events."),
    _parameter("after", {**_TEXT, "pattern": "^[0-9]{0,18}$"}, "Begin after this cursor."),
    _parameter("Last-Event-ID", {**_TEXT, "pattern": "^[0-9]{0,18}$"}, "The same; it wins.", "header"),
)
_STREAM = {
    "description": "A block for each event; it does not end.",
    "content": {"text/event-stream": {"schema": _TEXT}},
}
_WHERE = {
    "type": "object",
    "required": ["enabled", "url", "ws_url", "ws_port", "session_count"],
    "properties": {
        "enabled": {"type": "boolean"},
        "mode": {"type": "string", "enum": ["shared", "standalone"]},
        "discovery_path": _TEXT,
        "url": _TEXT,
        "ws_url": _TEXT,
        "ws_port": _NUMBER,
        "session_count": _NUMBER,
    },
}


def _events_told() -> dict[str, Any]:
    told = described("events", _TEXT, parameters=_ASKED)
    answers = {status: answer for status, answer in told["responses"].items() if status not in {"200", "304"}}
    return {**told, "responses": {**answers, "200": _STREAM}}


def routes() -> tuple[Route, ...]:
    """Server-sent events and WebSockets."""
    return (
        Route(
            "GET",
            "/api/v1/events",
            GRANT,
            "Follow the log as server-sent events",
            app=_events,
            documentation=_events_told(),
        ),
        Route(
            "GET",
            "/ws",
            OPEN,
            "Where the WebSocket is",
            _discover,
            documentation=plain("events", _200=("Where it is.", "application/json", _WHERE)),
        ),
        Route("WEBSOCKET", "/ws", OPEN, _SOCKET, app=_socket, socket=True),
    )


def standalone(server: ServerState) -> ASGIApp:
    """The WebSocket alone, for a listener on a port of its own; pages of the main port may open it."""
    address = server.address
    origins = {
        f"{address.scheme}://{name}:{address.port}" for name in ("127.0.0.1", "localhost", "[::1]", *address.hosts)
    }
    own = address._replace(port=address.ws_port, origins=(*address.origins, *sorted(origins)))
    table = RouteTable(
        (
            *(route for route in routes() if route.path == "/ws"),
            Route("WEBSOCKET", "/", OPEN, _SOCKET, app=_socket, socket=True),
        )
    )
    return Application(server, table, own)


async def _events(exchange: Exchange, receive: Receive, send: Send) -> None:
    server, request = exchange.server, exchange.request
    wanted = from_query(request.query_params.multi_items(), request.headers.get("last-event-id"))
    workspace = await seat(server, exchange.principal)
    stream = server.streams.enter(exchange.principal, await whose(exchange.scope, exchange.principal), workspace)
    try:
        await event_stream.serve(server.streams, stream, wanted, receive, send)
    finally:
        server.streams.leave(stream)


async def _discover(exchange: Exchange) -> Response:
    address = exchange.server.address
    url = address.url.replace("http", "ws", 1)
    own = f"{url.rpartition(':')[0]}:{address.ws_port}/ws" if address.ws_port else None
    return json_response(
        {
            "enabled": True,
            "mode": "standalone" if address.ws_port else "shared",
            "discovery_path": "/ws",
            "url": f"{url}/ws",
            "ws_url": own or f"{url}/ws",
            "ws_port": address.ws_port or address.port,
            "session_count": exchange.server.streams.sockets,
        }
    )


async def _socket(exchange: Exchange, receive: Receive, send: Send) -> None:
    server, headers = exchange.server, exchange.request.headers
    backend = _ServerBackend(server, exchange.scope, headers)
    shown = headers.getlist("authorization")
    principal = None
    if shown or not server.authority.required:
        principal = backend.let_in(shown)
    await Socket(server.streams, backend, await whose(exchange.scope, exchange.principal), receive, send).run(principal)


class _ServerBackend:
    """The backend of one WebSocket, over the server's state."""

    def __init__(self, server: ServerState, scope: Scope, headers: Headers) -> None:
        self._server = server
        self._scope = scope
        self._headers = headers

    def let_in(self, authorization: list[str], agent: str | None = None) -> Principal:
        """The principal of these headers, as this agent, or else the one that a header names."""
        tell = partial(name_in, self._headers) if agent is None else partial(a_name, agent)
        principal = self._server.callers.identify(self._scope, authorization, tell)
        self._server.authority.require(principal, GRANT)
        return principal

    async def admit(self, token: str | None, agent: str | None) -> Principal:
        return self.let_in([] if token is None else [f"Bearer {token}"], agent)

    async def seat(self, principal: Principal) -> Workspace | None:
        return await seat(self._server, principal)

    async def call(self, principal: Principal, operation: str, arguments: dict[str, Any], key: Key | None) -> Any:
        op = REGISTRY.get(operation)
        names = Arguments(op)
        self.allow(principal, op.name)
        try:
            return said(await self._server.call(principal, op, names.of_object(arguments), key=key))
        except Invalid as problem:
            raise names.complain(problem) from None

    def allow(self, principal: Principal, operation: str) -> None:
        self._server.authority.recheck(principal)
        self._server.authority.require(principal, operation)

    def failed(self, problem: Exception) -> Internal:
        reference = secrets.token_hex(8)
        trace = "".join(traceback.format_exception(problem))
        sys.stderr.write(f"comity: call {reference} failed\n{trace}")
        return unexpected(reference)


async def seat(server: ServerState, principal: Principal) -> Workspace | None:
    """The agent's workspace, registered if need be; None for a principal without an agent."""
    if principal.agent_id is None:
        return None
    return server.seats.known(principal) or await server.calls.work(partial(server.seats.take, principal))
