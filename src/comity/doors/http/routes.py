"""The one table of routes. What is not in it is answered with 404, whoever asks."""

from __future__ import annotations

from comity.doors.http import health, live, mcp, metrics
from comity.doors.http.rest import masc_routes, openapi, operations, welcome
from comity.doors.http.route import Table


def table() -> Table:
    """Every route of the server."""
    document = openapi.Document()
    found = Table(
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
