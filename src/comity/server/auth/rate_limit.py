"""The rate limit: how many requests each client may make in a time."""

from __future__ import annotations

import time
from collections import OrderedDict

_MOST_CLIENTS = 10_000


class RateLimit:
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
