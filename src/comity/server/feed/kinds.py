"""Kinds of streams: listeners that want the same events, framed alike, and may see as much, get the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from comity.rooms.lifecycle.history import EventFilter


class Audience(NamedTuple):
    """Who reads, as far as it matters to what they are shown of direct messages."""

    agent_id: str = ""
    oversees: bool = False


class EventText(NamedTuple):
    """One event as text: its position in the log, its type, its JSON on one line."""

    position: int
    event_type: str
    json: str


class Framing(Protocol):
    """How a protocol wraps events. Framings that are equal share what they made."""

    def frame(self, told: Sequence[EventText], /) -> tuple[Any, int]:
        """What is sent for these events, and its size in bytes."""


class StreamKind(NamedTuple):
    """Listeners of one kind get the same bytes."""

    framing: Framing
    wanted: EventFilter
    audience: Audience
