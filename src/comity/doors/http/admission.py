"""Which requests are let in at all: by Host, Origin, and how many there were. The same for every protocol and route.

A page that a browser loaded from elsewhere must reach nothing, even where no token is asked for: its Origin is not
ours, and a name that it made resolve to this machine (DNS rebinding) is not among our hosts. Both are compared whole.
"""

from __future__ import annotations

import socket
import time
from collections import OrderedDict

from comity.doors.http.place import LOOPBACK, Place
from comity.kernel.problem import Forbidden, Invalid, Limited

_MOST_CLIENTS = 10_000
_FAILURES, _FAILURE_WINDOW_S = 20, 60.0  # wrong tokens from one address


class Admission:
    """Decides by headers and counts. Used on the event loop only."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._hosts = frozenset(_hosts(place))
        self._origins = frozenset({*(f"{place.scheme}://{host}" for host in self._hosts), *place.origins})
        self._buckets = Buckets(place.rate, place.burst)
        self._local = Buckets(place.rate_local, place.rate_local)
        self._failures = Buckets(_FAILURES / _FAILURE_WINDOW_S, _FAILURES)

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

    def failed(self, client: str) -> None:
        """A wrong token came from this address. Limited ``token.too_many_failures`` when there were too many.

        A right one from there goes on working: one program with an old token must not shut out its neighbours.
        """
        if not self._failures.take(client):
            raise Limited(
                "token.too_many_failures",
                "Too many requests with a wrong token came from this address.",
                "Wait a minute; check the token with `comity token list`.",
                retryAfterS=int(_FAILURE_WINDOW_S),
            )


class Buckets:
    """A token bucket for each client; those not heard of for longest are forgotten first. A rate of 0 has no bound."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self._burst = burst
        self._level: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str) -> bool:
        """Whether there was one left."""
        if not self.rate:
            return True
        left = self._left(client)
        self._level[client] = (max(0.0, left - 1), time.monotonic())
        self._level.move_to_end(client)
        if len(self._level) > _MOST_CLIENTS:
            self._level.popitem(last=False)
        return left >= 1

    def _left(self, client: str) -> float:
        level, at = self._level.get(client, (self._burst, 0.0))
        return min(self._burst, level + (time.monotonic() - at) * self.rate)


def _hosts(place: Place) -> set[str]:
    """Every value of Host that means this server, in lower case."""
    names = {"127.0.0.1", "localhost", "[::1]"}
    if not place.loopback:
        names |= {socket.gethostname().lower(), f"[{place.host}]" if ":" in place.host else place.host.lower()}
    named = {name.lower() for name in place.hosts}
    hosts = {f"{name}:{place.port}" for name in names | named} | named
    if place.port == (443 if place.certificate else 80):
        hosts |= names
    return hosts
