"""The one table of routes. What is not in it is answered with 404, whoever asks."""

from __future__ import annotations

from comity.doors.http import health, rest
from comity.doors.http.route import Table


def table() -> Table:
    """Every route of the server."""
    return Table((*health.routes(), *rest.routes()))
