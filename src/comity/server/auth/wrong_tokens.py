"""Wrong tokens, counted by the address that they came from, for every door."""

from __future__ import annotations

from comity.kernel.problem import Limited
from comity.server.auth.rate_limit import RateLimit

MOST, WINDOW_S = 20, 60.0  # from one address


class WrongTokens:
    """Counts. Used on the event loop only."""

    def __init__(self) -> None:
        self._left = RateLimit(MOST / WINDOW_S, MOST)

    def note(self, client: str) -> None:
        """A wrong token came from this address. Limited ``token.too_many_failures`` when there were too many.

        A right one from there goes on working: one program with an old token must not shut out its neighbours.
        """
        if not self._left.take(client):
            raise Limited(
                "token.too_many_failures",
                "Too many requests with a wrong token came from this address.",
                "Wait a minute; check the token with `comity token list`.",
                retryAfterS=int(WINDOW_S),
            )
