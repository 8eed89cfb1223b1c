"""Health: whether the server lives and is ready. Open to everybody, so it tells no path, name, peer or setting."""

from __future__ import annotations

import time

from starlette.responses import Response

from comity import __version__
from comity.server.answers import JSON, json_response
from comity.server.documentation import Object, plain
from comity.server.route import OPEN, Exchange, Route


async def _live(_: Exchange) -> Response:
    return json_response({"live": True})


async def _ready(exchange: Exchange) -> Response:
    server = exchange.server
    ready = server.ready and not server.ending and server.workspace.stands()
    return json_response({"ready": ready}, 200 if ready else 503)


async def _health(exchange: Exchange) -> Response:
    uptime_s = round(time.monotonic() - exchange.server.started, 1)
    return json_response({"status": "ok", "server": "comity", "version": __version__, "uptimeS": uptime_s})


def _told(schema: Object) -> Object:
    return plain("health", _200=("The answer.", JSON, schema))


_LIVE: Object = {"type": "object", "properties": {"live": {"const": True}}, "required": ["live"]}
_READY: Object = {"type": "object", "properties": {"ready": {"type": "boolean"}}, "required": ["ready"]}
_WELL: Object = {
    "type": "object",
    "properties": {
        **{name: {"type": "string"} for name in ("status", "server", "version")},
        "uptimeS": {"type": "number"},
    },
    "required": ["status", "server", "version", "uptimeS"],
}
_READINESS = plain("health", _200=("Requests may come.", JSON, _READY), _503=("Not yet, or no more.", JSON, _READY))


def routes() -> tuple[Route, ...]:
    """The routes that probes ask."""
    return (
        Route("GET", "/health", OPEN, "Whether the server is well", _health, documentation=_told(_WELL)),
        Route("GET", "/health/live", OPEN, "Whether the process answers", _live, documentation=_told(_LIVE)),
        Route("GET", "/health/ready", OPEN, "Whether requests may come", _ready, documentation=_READINESS),
    )
