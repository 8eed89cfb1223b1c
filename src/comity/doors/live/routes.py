"""Routes of live events: who may listen, and in whose name."""

from __future__ import annotations

import secrets
import sys
import traceback
from functools import partial
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from comity.doors.live import sse
from comity.doors.live.subscription import from_query
from comity.doors.live.ws import Socket
from comity.kernel.problem import Internal, Invalid
from comity.kernel.record import to_json
from comity.rooms import REGISTRY
from comity.server.agent_header import a_name, name_in
from comity.server.answers import json_response
from comity.server.arguments import Arguments
from comity.server.auth.principal import Principal
from comity.server.connections import whose
from comity.server.documentation import described, plain
from comity.server.guard import Guard
from comity.server.route import OPEN, Exchange, Route, Table
from comity.server.state import House
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


def standalone(house: House) -> ASGIApp:
    """The WebSocket alone, for a listener on a port of its own; pages of the main port may open it."""
    place = house.place
    origins = {f"{place.scheme}://{name}:{place.port}" for name in ("127.0.0.1", "localhost", "[::1]", *place.hosts)}
    own = place._replace(port=place.ws_port, origins=(*place.origins, *sorted(origins)))
    table = Table(
        (
            *(route for route in routes() if route.path == "/ws"),
            Route("WEBSOCKET", "/", OPEN, _SOCKET, app=_socket, socket=True),
        )
    )
    return Guard(house, table, own)


async def _events(exchange: Exchange, receive: Receive, send: Send) -> None:
    house, request = exchange.house, exchange.request
    wanted = from_query(request.query_params.multi_items(), request.headers.get("last-event-id"))
    workspace = await seat(house, exchange.principal)
    stream = house.streams.enter(exchange.principal, await whose(exchange.scope, exchange.principal), workspace)
    try:
        await sse.serve(house.streams, stream, wanted, {}, receive, send)
    finally:
        house.streams.leave(stream)


async def _discover(exchange: Exchange) -> Response:
    place = exchange.house.place
    url = place.url.replace("http", "ws", 1)
    own = f"{url.rpartition(':')[0]}:{place.ws_port}/ws" if place.ws_port else None
    return json_response(
        {
            "enabled": True,
            "mode": "standalone" if place.ws_port else "shared",
            "discovery_path": "/ws",
            "url": f"{url}/ws",
            "ws_url": own or f"{url}/ws",
            "ws_port": place.ws_port or place.port,
            "session_count": exchange.house.streams.sockets,
        }
    )


async def _socket(exchange: Exchange, receive: Receive, send: Send) -> None:
    house, headers = exchange.house, exchange.request.headers
    porter = _Porter(house, exchange.scope, headers)
    shown = headers.getlist("authorization")
    principal = None
    if shown or not house.authority.required:
        principal = porter.let_in(shown)
    await Socket(house.streams, porter, await whose(exchange.scope, exchange.principal), receive, send).run(principal)


class _Porter:
    """What a WebSocket has the server do."""

    def __init__(self, house: House, scope: Scope, headers: Headers) -> None:
        self._house = house
        self._scope = scope
        self._headers = headers

    def let_in(self, authorization: list[str], agent: str | None = None) -> Principal:
        """Whoever shows these headers, as this agent, or else the one that a header names."""
        tell = partial(name_in, self._headers) if agent is None else partial(a_name, agent)
        principal = self._house.callers.identify(self._scope, authorization, tell)
        self._house.authority.require(principal, GRANT)
        return principal

    async def admit(self, token: str | None, agent: str | None) -> Principal:
        return self.let_in([] if token is None else [f"Bearer {token}"], agent)

    async def seat(self, principal: Principal) -> Workspace | None:
        return await seat(self._house, principal)

    async def call(self, principal: Principal, operation: str, arguments: dict[str, Any]) -> Any:
        op = REGISTRY.get(operation)
        names = Arguments(op)
        self.allow(principal, op.name)
        try:
            return to_json(await self._house.call(principal, op, names.of_object(arguments)))
        except Invalid as problem:
            raise names.in_their_names(problem) from None

    def allow(self, principal: Principal, operation: str) -> None:
        self._house.authority.recheck(principal)
        self._house.authority.require(principal, operation)

    def failed(self, problem: Exception) -> Internal:
        reference = secrets.token_hex(8)
        trace = "".join(traceback.format_exception(problem))
        sys.stderr.write(f"comity: call {reference} failed\n{trace}")
        return Internal(
            "internal.unexpected",
            f"The server failed (reference {reference}).",
            "Its log has more under that reference.",
            reference=reference,
        )


async def seat(house: House, principal: Principal) -> Workspace | None:
    """The agent's workspace, registered if need be; None for whoever has no agent."""
    if principal.agent_id is None:
        return None
    op = REGISTRY.get(GRANT)
    return house.seats.known(principal) or await house.calls.work(partial(house.seats.seat, principal, op))
