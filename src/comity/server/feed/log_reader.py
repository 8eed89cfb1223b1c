"""Reads the log for its listeners: each stretch once, however many they are.

What an event shows may depend on who reads it: how a direct message begins is for the two it is between, how one in a
channel begins is for those who may read the channel. ``event.list`` decides that by its caller, so a stretch is read as
somebody who is no party to anything and in no channel, and again as each listening agent that could see more of it.
"""

from __future__ import annotations

from typing import NamedTuple

from comity.kernel.text import cursor_at, lenient, position_of
from comity.rooms.lifecycle.history import EventFilter
from comity.rooms.lifecycle.model import Events, LoggedEvent
from comity.server.encoding import said
from comity.server.feed.kinds import Audience, EventText
from comity.workspace import Workspace

PAGE = 500
_MOST_READERS = 256
STRANGER = Audience()
Seen = list[tuple[LoggedEvent, EventText]]


class Stretch(NamedTuple):
    """A part of the log: after ``start`` up to ``end``. ``whole``: the log ended there when it was read."""

    start: int
    end: int
    whole: bool
    events: list[LoggedEvent]


class Bounds(NamedTuple):
    """The first and the last event that are kept; 0 when there is none."""

    first: int
    last: int


class Reader:
    """The log, for many audiences. Thread-safe."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._as: dict[Audience, Workspace] = {}

    def bounds(self) -> Bounds:
        """How far the log reaches."""
        page = self._page(STRANGER, {"newest": 1, "limit": 1})
        first = self._page(STRANGER, {"limit": 1}).events
        return Bounds(first[0].id if first else 0, page.events[-1].id if page.events else 0)

    def newest(self, audience: Audience, count: int, wanted: EventFilter) -> Stretch:
        """The newest events that are wanted."""
        page = self._page(audience, {"newest": count, "limit": count, **wanted._asdict()})
        end = position_of(page.cursor)
        return Stretch(page.events[0].id - 1 if page.events else end, end, len(page.events) < count, page.events)

    def after(self, audience: Audience, start: int, wanted: EventFilter, limit: int = PAGE) -> Stretch:
        """What comes next of what is wanted."""
        page = self._page(audience, {"after": cursor_at(start), "limit": limit, **wanted._asdict()})
        return Stretch(start, position_of(page.cursor), len(page.events) < limit, page.events)

    def seen_by(self, stretch: Stretch, audiences: set[Audience]) -> dict[Audience, Seen]:
        """The same stretch, which a stranger read, as each of these sees it."""
        plain = list(zip(stretch.events, map(tell, stretch.events), strict=True))
        told = [event for event in stretch.events if event.message_id is not None or event.delivery_id is not None]
        involved = {agent for event in told for agent in (event.agent_id, event.from_agent_id)}
        closed = any(event.channel_id not in (None, self._workspace.actor.channel) for event in told)
        return {
            audience: self._again(stretch, plain, audience)
            if audience.oversees or (audience.agent_id and (closed or audience.agent_id in involved))
            else plain
            for audience in audiences
        }

    def _again(self, stretch: Stretch, plain: Seen, audience: Audience) -> Seen:
        known = {event.id: (event, told) for event, told in plain}
        page = self._page(audience, {"after": cursor_at(stretch.start), "limit": max(1, len(plain))})
        seen = []
        for event in page.events:
            other = known.get(event.id)
            if other is not None:  # whatever came since is in the next stretch
                seen.append(other if other[0] == event else (event, tell(event)))
        return seen

    def _page(self, audience: Audience, arguments: dict[str, object]) -> Events:
        workspace = self._as.get(audience)
        if workspace is None:
            actor = self._workspace.actor._replace(
                agent_id=audience.agent_id, oversees=audience.oversees, spectator=not audience.agent_id
            )
            if len(self._as) >= _MOST_READERS:
                self._as.clear()
            workspace = self._as[audience] = self._workspace.acting_as(actor)
        page: Events = workspace.call("event.list", arguments)
        return page


def tell(event: LoggedEvent) -> EventText:
    """An event as text, also when it is another program's and holds what is none."""
    return EventText(event.id, str(event.event_type), lenient(said(event)).decode())
