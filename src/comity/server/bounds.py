"""Bounds of what one client and all may have of a server: connections, answers on their way, bodies that come.

A client is the token that a request showed, else the process at the other end, else its address. As long as there is
room no client is cut short; what is scarce is shared out, and a part is kept for those that have little.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

from comity.kernel.problem import Limited
from comity.server.address import MAX_BODY_BYTES

if sys.platform != "win32":
    import resource

MOST_CONNECTIONS = 8192
MOST_DESCRIPTORS = 16_384  # what we ask the system for
STREAMS = 700  # at once on one HTTP/2 connection: as many events as one client may follow, and requests besides
PIECE_BYTES = 16 * 1024  # of an answer; granian takes some five of them, then it waits for the client
_MiB = 1024 * 1024


class Bounds(NamedTuple):
    """What one server gives. Sizes are what is held in memory for a client that does not take, or does not finish."""

    connections: int = MOST_CONNECTIONS
    silent_s: float = 10.0  # for a first request, from the connection on
    idle_s: float = 600.0  # without a request, on a connection that had one
    unread_s: float = 60.0  # for the client to take anything of what waits for it
    hurry_s: float = 10.0  # the same, while there is little room
    answer_s: float = 30.0  # for the client to take one piece of an answer
    requests: int = 4000  # that run at once, streams apart
    answers: int = 8  # larger than a piece, that one connection is sent at once; the others wait
    unread_each_bytes: int = 8 * _MiB  # of one connection's larger answers
    unread_bytes: int = 32 * _MiB  # of all
    unread_spare_bytes: int = 16 * _MiB  # beyond, for connections that have nothing else on its way
    bodies_bytes: int = 64 * _MiB  # of requests that are not whole; small ones do not count
    message_bytes: int = _MiB  # of a WebSocket's message that is not whole
    messages_bytes: int = 8 * _MiB  # of all of them
    look_s: float = 1.0  # between two looks at the connections


BOUNDS = Bounds()
SMALL_BYTES = 64 * 1024  # of a body: agents' calls are smaller, and always find room


def within_descriptors(bounds: Bounds) -> Bounds:
    """Ask the system for as many open files as it lets us have, and take no more connections than those allow."""
    if sys.platform == "win32":
        return bounds
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, MOST_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
        except (OSError, ValueError):
            pass
    if soft == resource.RLIM_INFINITY:
        return bounds
    kept = min(1024, soft // 4)  # for files, and a second descriptor of WebSockets
    return bounds._replace(connections=max(16, min(bounds.connections, soft - kept)))


class Bodies:
    """Bytes of requests that are not whole, in all and of each client. Small bodies do not count."""

    def __init__(self, most_bytes: int = BOUNDS.bodies_bytes, largest_bytes: int = MAX_BODY_BYTES) -> None:
        self._most = max(most_bytes, 2 * largest_bytes)
        self._held: dict[str, int] = {}
        self.total = 0

    def take(self, client: str, size: int) -> None:
        """More has come. Raises Limited ``body.no_room``. Give it back with ``give``."""
        held = self._held.get(client, 0)
        if self.total + size > self._most or held + size > self._most // 2:
            raise Limited(
                "body.no_room",
                "Too much is being sent to this server at once.",
                "Wait a moment, then send it again; smaller bodies find room.",
                retryAfterS=5,
            )
        self._held[client] = held + size
        self.total += size

    def give(self, client: str, size: int) -> None:
        """It is whole, or given up."""
        self.total -= size
        left = self._held[client] - size
        if left:
            self._held[client] = left
        else:
            del self._held[client]


def shares(counts: dict[str, int], most: int) -> int:
    """The most that each may keep so that all together keep at most ``most``; those that have less keep it."""
    left = most
    ranked = sorted(counts.values())
    for place, count in enumerate(ranked):
        each = left // (len(ranked) - place)
        if count > each:
            return each
        left -= count
    return most
