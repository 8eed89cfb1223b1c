"""Admission of requests: by their Host, their Origin, and how many there were, for every protocol and route.

A page that a browser loaded from elsewhere must reach nothing, even where no token is asked for: its Origin is not
ours, and a name that it made resolve to this machine (DNS rebinding) is not among our hosts. Both are compared whole.
"""

from __future__ import annotations

import socket

from comity.kernel.problem import Forbidden, Invalid, Limited
from comity.server.address import LOOPBACK, ServerAddress
from comity.server.auth.rate_limit import RateLimit


class Admission:
    """Decides by headers and counts. Used on the event loop only."""

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._hosts = frozenset(_hosts(address))
        self._origins = frozenset({*(f"{address.scheme}://{host}" for host in self._hosts), *address.origins})
        self._buckets = RateLimit(address.rate, address.burst)
        self._local = RateLimit(address.rate_local, address.rate_local)

    def check_origin(self, hosts: list[str], origins: list[str], site: str | None) -> None:
        """Forbidden ``origin.foreign``, Invalid ``host.unknown``. Of several such headers, each must be ours."""
        if not hosts or any(host.lower() not in self._hosts for host in hosts):
            raise Invalid(
                "host.unknown",
                "This server does not answer to that Host.",
                "Use the address that it printed, or start it with --allow-host NAME[:PORT].",
            )
        if any(origin.lower() not in self._origins for origin in origins):
            raise Forbidden(
                "origin.foreign",
                "Requests of pages from elsewhere are refused.",
                "Open the server's own address, or start it with --allow-origin ORIGIN.",
            )
        if not origins and site == "cross-site":
            raise Forbidden(
                "origin.foreign", "A page from elsewhere caused this request.", "Open the server's own address."
            )

    def count(self, client: str) -> None:
        """Limited ``rate.exceeded`` when a client asks too often."""
        buckets = self._local if client in LOOPBACK else self._buckets
        if not buckets.take(client):
            raise Limited(
                "rate.exceeded",
                "Too many requests.",
                "Wait a second, then go on more slowly.",
                retryAfterS=1,
                perSecond=buckets.rate,
            )


def _hosts(address: ServerAddress) -> set[str]:
    """Every value of Host that means this server, in lower case."""
    names = {"127.0.0.1", "localhost", "[::1]"}
    if not address.loopback:
        names |= {socket.gethostname().lower(), f"[{address.host}]" if ":" in address.host else address.host.lower()}
    named = {name.lower() for name in address.hosts}
    hosts = {f"{name}:{address.port}" for name in names | named} | named
    if address.port == (443 if address.certificate else 80):
        hosts |= names
    return hosts
