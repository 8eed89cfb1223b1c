"""The log as listeners read it, and forgetting what is old (protocol reference section 10.5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Actor, Row, Scope
from comity.kernel.text import compact, cursor_at, position_of, read_object
from comity.rooms.channels import deliveries, membership
from comity.rooms.lifecycle.model import Events, LoggedEvent, Pruned

_DAY_MS = 86_400_000


class EventFilter(NamedTuple):
    """Which events are wanted; None means any. In a type, ``*`` stands for any letters, also for none.

    The statements in ``queries.sql`` and ``admits`` decide the same: whoever follows the log reads it once for all
    listeners, and filters it for each. A test compares the two.
    """

    event_types: tuple[str, ...] | None = None
    agent_id: str | None = None
    channel_id: str | None = None
    min_priority: int = 0

    def params(self) -> dict[str, object]:
        """As parameters of the statements."""
        types = None if self.event_types is None else compact(self.event_types)
        return {**self._asdict(), "event_types": types}

    def admits(self, event: LoggedEvent) -> bool:
        """Whether an event is wanted. To SQLite a type ends before its first NUL; others may have written anything."""
        event_type = str(event.event_type).partition("\0")[0]
        return (
            (self.event_types is None or _pattern(self.event_types).fullmatch(event_type) is not None)
            and (self.agent_id is None or event.agent_id == self.agent_id)
            and (self.channel_id is None or event.channel_id == self.channel_id)
            and (not self.min_priority or (isinstance(event.priority, int) and event.priority >= self.min_priority))
        )


@lru_cache(maxsize=1024)
def _pattern(event_types: tuple[str, ...]) -> re.Pattern[str]:
    """What matches any of these types, and nothing where there is none."""
    matched = "|".join(re.escape(one).replace(r"\*", ".*") for one in event_types)
    return re.compile(matched if event_types else r"(?!)", re.DOTALL)


def page(scope: Scope, after: str, newest: int, limit: int, wanted: EventFilter) -> Events:
    """Events after a cursor, or beginning with the newest few. An empty page keeps the cursor where the log ends."""
    last = scope.tx.one("lifecycle.last_event")
    end = last[0] if last else 0
    start = position_of(after)
    if newest:
        first = scope.tx.one("lifecycle.newest_events", newest=newest, **wanted.params())
        start = first[0] - 1 if first and first[0] is not None else end
    rows = scope.tx.all("lifecycle.events", after=start, limit=limit, **wanted.params())
    readable = membership.readable(scope) if any(map(_tells, rows)) else None
    events = [_event(row, scope.actor, readable) for row in rows]
    return Events(events, cursor_at(events[-1].id if len(events) == limit else max(end, start)))


def _tells(row: Row) -> bool:
    """Whether a row has words of a message."""
    return row[6] is not None or row[7] is not None


def _event(row: Row, reader: Actor, readable: Callable[[str], bool] | None) -> LoggedEvent:
    """One row; of a message between others, or in a channel that is not for the reader, it shows no word."""
    sender = read_object(row[9]) or {}
    metadata, excerpt = read_object(row[8]) or {}, row[11]
    if readable is not None and _tells(row):
        receiver, channel = row[12:] if row[12] is not None else (row[4], row[5])  # the event's own, once it was pruned
        own = reader.agent_id in (receiver, sender.get("agent_id"))
        if not (own or (reader.oversees if channel is None else readable(channel))):
            metadata, excerpt = {}, None
    return LoggedEvent._make((*row[:8], metadata, sender.get("agent_id"), sender.get("name"), row[10], excerpt))


def prunable(scope: Scope, older_than_days: float) -> Pruned:
    """What ``prune`` would remove in the end."""
    before = _before(scope, older_than_days)
    found = scope.tx.one("lifecycle.prunable", before=before, **deliveries.overdue(scope)) or (0, 0, 0, 0)
    return Pruned._make((*found, False, True))


def prune(scope: Scope, older_than_days: float, limit: int) -> Pruned:
    """Remove finished messages, events and claims older than a time, at most ``limit`` rows of each.

    Deliveries that expired for agents that are gone are first marked and audited as their poll would have done.
    """
    before = _before(scope, older_than_days)
    expired = _expire_abandoned(scope, limit)
    counts = [
        scope.tx.run(f"lifecycle.prune_{kind}", before=before, limit=limit) for kind in ("messages", "events", "claims")
    ]
    messages, events, claims = counts
    for what in ("host_sessions", "pairs", "jobs"):
        before_ms = scope.now.ms - int(older_than_days * _DAY_MS)
        scope.tx.run(f"lifecycle.prune_{what}", before_ms=before_ms)
    return Pruned(expired, messages, events, claims, limit in (expired, *counts), dry_run=False)


def _before(scope: Scope, older_than_days: float) -> str:
    return Instant.at(max(0, scope.now.ms - int(older_than_days * _DAY_MS))).iso


def _expire_abandoned(scope: Scope, limit: int) -> int:
    events: list[Event] = []
    rows = scope.tx.all("lifecycle.expire_abandoned", limit=limit, **deliveries.overdue(scope))
    expired = deliveries.expired(scope, rows, events)
    scope.emit(*events)
    return len(expired)
