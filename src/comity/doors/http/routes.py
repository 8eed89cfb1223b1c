"""The one table of routes. What is not in it is answered with 404, whoever asks."""

from __future__ import annotations

from comity.doors.http import health, openapi, rest
from comity.doors.http.route import Table


def table() -> Table:
    """Every route of the server."""
    document = openapi.Document()
    found = Table((*health.routes(), document.route(), *rest.routes()))
    document.describe(found.routes)
    return found
