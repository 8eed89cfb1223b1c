"""CORS (Fetch standard): the headers that browsers need before a page of another origin may read an answer.

Only origins that ``--allow-origin`` names hear anything, each its own name and never ``*``. Credentials that a browser
keeps by itself are never asked for: a page sends its token as a header. Whether a page may ask at all is decided
elsewhere, by ``admission``.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Scope

from comity.server.agent_header import HEADERS as AGENT
from comity.server.route import RouteTable

Heads = list[tuple[bytes, bytes]]

KEPT_S = 600  # for a browser to remember the answer to a preflight
# What clients send that a browser would hold back.
_SENT = (
    *("Authorization", "Content-Type", "Idempotency-Key", "If-None-Match", "Last-Event-ID"),
    *("Mcp-Session-Id", "Mcp-Protocol-Version", "Mcp-Method", "Mcp-Name", "Traceparent", "Tracestate"),
    *(name.title() for name in AGENT),
)
# What we answer that a page could not read.
_READ = (
    *("ETag", "Link", "Allow", "Retry-After", "WWW-Authenticate", "Idempotency-Replayed"),
    *("Mcp-Session-Id", "X-Comity-Agent", "X-Request-Id"),
)


class Cors:
    """The headers for pages of some other origins."""

    def __init__(self, origins: Sequence[str], table: RouteTable) -> None:
        self._origins = frozenset(origin.lower() for origin in origins)
        methods = sorted({route.method for route in table.routes if not route.socket and route.method != "WEBSOCKET"})
        self._grants: Heads = [
            (b"access-control-allow-methods", ", ".join([*methods, "HEAD"]).encode()),
            (b"access-control-allow-headers", ", ".join(_SENT).encode()),
            (b"access-control-max-age", str(KEPT_S).encode()),
        ]

    def heads(self, headers: Headers) -> Heads:
        """For whatever is answered to this request; refusals, too: a page may read why."""
        if not self._origins:
            return []
        vary = (b"vary", b"Origin")  # for caches, also on what others get
        origin = self._allowed(headers)
        if origin is None:
            return [vary]
        return [
            vary,
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-expose-headers", ", ".join(_READ).encode()),
        ]

    def preflight(self, scope: Scope, headers: Headers) -> Response | None:
        """The answer to a browser that asks whether a page may ask; None for any other request.

        It is the same for every address, those that there are not among them: the request itself is told what is wrong.
        """
        if scope["type"] != "http" or scope["method"] != "OPTIONS" or self._allowed(headers) is None:
            return None
        if "access-control-request-method" not in headers:
            return None
        answer = Response(status_code=204)
        answer.raw_headers = list(self._grants)
        if headers.get("access-control-request-private-network") == "true":
            answer.raw_headers.append((b"access-control-allow-private-network", b"true"))
        return answer

    def _allowed(self, headers: Headers) -> str | None:
        origins = headers.getlist("origin")
        return origins[0] if len(origins) == 1 and origins[0].lower() in self._origins else None
