"""Priorities as people write them: words, or the protocol's numbers."""

from __future__ import annotations

from typing import Literal

from comity.doors.cli.command import Option
from comity.rooms.channels.model import PRIORITIES

Urgency = Literal["info", "advisory", "steering", "interrupt", "0", "1", "2", "3"]
MIN_PRIORITY = Option("min_priority", Urgency, "Nothing less urgent than this.", default="info")


def level(word: str | None) -> int:
    """The protocol's number for a word; 0 when none was given."""
    if word is None:
        return 0
    return PRIORITIES.index(word) if word in PRIORITIES else int(word)
