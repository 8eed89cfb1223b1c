"""Which events a listener wants, of whom it may see how messages begin, and how events are told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from comity.rooms.lifecycle.model import LoggedEvent


class Filter(NamedTuple):
    """As the arguments of ``event.list``; a type may hold ``*``. Nothing given: everything."""

    types: tuple[str, ...] = ()
    agent_id: str | None = None
    channel_id: str | None = None
    min_priority: int = 0

    def arguments(self) -> dict[str, object]:
        """For ``event.list``."""
        return {
            "event_types": list(self.types) or None,
            "agent_id": self.agent_id,
            "channel_id": self.channel_id,
            "min_priority": self.min_priority,
        }

    def admits(self, event: LoggedEvent) -> bool:
        """What ``event.list`` decides for one event."""
        return (
            (not self.types or _pattern(self.types).fullmatch(event.event_type) is not None)
            and (self.agent_id is None or event.agent_id == self.agent_id)
            and (self.channel_id is None or event.channel_id == self.channel_id)
            and (not self.min_priority or (event.priority is not None and event.priority >= self.min_priority))
        )


class Audience(NamedTuple):
    """Who reads, as far as it matters to what they are shown of direct messages."""

    agent_id: str = ""
    oversees: bool = False


class Told(NamedTuple):
    """One event as text: its cursor, its type, its JSON on one line."""

    cursor: str
    event_type: str
    json: str


class Framing(Protocol):
    """How a protocol wraps events. Framings that are equal share what they made."""

    def frame(self, told: Sequence[Told], /) -> tuple[Any, int]:
        """What is sent for these events, and its size in bytes."""


class Kind(NamedTuple):
    """Listeners of one kind get the same bytes."""

    framing: Framing
    wanted: Filter
    audience: Audience


@lru_cache(maxsize=1024)
def _pattern(types: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(re.escape(one).replace(r"\*", ".*") for one in types), re.DOTALL)
