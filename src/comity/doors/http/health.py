"""Whether the server lives and may be asked. Open to everybody, so it tells no path, name, peer or setting."""

from __future__ import annotations

import time

from starlette.responses import Response

from comity import __version__
from comity.doors.http.answers import json_response
from comity.doors.http.route import OPEN, Exchange, Route


async def _live(_: Exchange) -> Response:
    return json_response({"live": True})


async def _ready(exchange: Exchange) -> Response:
    ready = exchange.house.ready and not exchange.house.ending
    return json_response({"ready": ready}, 200 if ready else 503)


async def _health(exchange: Exchange) -> Response:
    uptime_s = round(time.monotonic() - exchange.house.started, 1)
    return json_response({"status": "ok", "server": "comity", "version": __version__, "uptimeS": uptime_s})


def routes() -> tuple[Route, ...]:
    """The routes that probes ask."""
    return (
        Route("GET", "/health", OPEN, "Whether the server is well", _health),
        Route("GET", "/health/live", OPEN, "Whether the process answers", _live),
        Route("GET", "/health/ready", OPEN, "Whether requests may come", _ready),
    )
