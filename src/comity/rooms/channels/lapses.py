"""What the living do about mail that nobody fetches: what is urgent waits on, what is over expires and is told."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.scope import Scope
from comity.rooms.channels import deliveries
from comity.rooms.channels.model import Tended

AHEAD_S = 1200  # before its end a time to live is extended: two looks of the loop that does it
_AT_ONCE = 200  # deliveries: the write lock is held meanwhile


def look(scope: Scope) -> Tended | None:
    """The answer when there is nothing to do, else None."""
    row = scope.tx.one("channels.something_lapses", **_times(scope))
    return Tended() if row == (0,) else None


def tend(scope: Scope) -> Tended:
    """One batch."""
    times = _times(scope)
    renewed = scope.tx.run("channels.renew", limit=_AT_ONCE, **times)
    del times["soon"]
    rows = scope.tx.all("channels.expire_unread", limit=_AT_ONCE, **times)
    events: list[Event] = []
    expired = len(deliveries.expired(scope, rows, events))
    scope.emit(*events)
    return Tended(renewed, expired, _AT_ONCE in (renewed, expired))


def _times(scope: Scope) -> dict[str, int]:
    return {"soon": scope.now.second + AHEAD_S, **deliveries.overdue(scope)}
