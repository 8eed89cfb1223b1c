"""The one table of routes. What is not in it is answered with 404."""

from __future__ import annotations

from comity.doors.http import health
from comity.doors.live import routes as live
from comity.doors.mcp_http import routes as mcp
from comity.doors.rest import masc_routes, openapi, operations, welcome
from comity.server import metrics
from comity.server.route import RouteTable


def table() -> RouteTable:
    """Every route of the server."""
    document = openapi.OpenApiDocument()
    found = RouteTable(
        (
            *health.routes(),
            *metrics.routes(),
            *live.routes(),
            *mcp.routes(),
            document.route(),
            *operations.routes(),
            *masc_routes.routes(),
            *welcome.routes(),
        )
    )
    document.describe(found.routes)
    return found
