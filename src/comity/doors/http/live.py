"""Routes of live events: who may listen, in whose name."""

from __future__ import annotations

from functools import partial

from starlette.types import Receive, Send

from comity.doors.auth.principal import Principal
from comity.doors.http.house import House
from comity.doors.http.route import Exchange, Route
from comity.doors.live import sse
from comity.doors.live.wanted import from_query
from comity.rooms import REGISTRY
from comity.workspace import Workspace

GRANT = "event.list"


def routes() -> tuple[Route, ...]:
    """Server-sent events."""
    return (Route("GET", "/api/v1/events", GRANT, "Follow the log as server-sent events", app=_events),)


async def _events(exchange: Exchange, receive: Receive, send: Send) -> None:
    house, request = exchange.house, exchange.request
    wanted = from_query(request.query_params.multi_items(), request.headers.get("last-event-id"))
    workspace = await seat(house, exchange.principal)
    client = request.client.host if request.client else ""
    stream = house.streams.enter(exchange.principal, client, workspace)
    try:
        await sse.serve(house.streams, stream, wanted, {}, receive, send)
    finally:
        house.streams.leave(stream)


async def seat(house: House, principal: Principal) -> Workspace | None:
    """The agent's workspace, registered if need be; None for whoever has no agent."""
    if principal.agent_id is None:
        return None
    op = REGISTRY.get(GRANT)
    return house.seats.known(principal) or await house.calls.work(partial(house.seats.seat, principal, op))
