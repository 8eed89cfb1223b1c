"""Subscriptions: which events a client asks for, and from which position on."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from comity.kernel.problem import Invalid
from comity.kernel.text import position_of, whole
from comity.rooms.lifecycle.history import EventFilter

MOST_TYPES = 50
MOST_NEWEST = 1000
_LONGEST = 200
_TYPE = re.compile(r"[A-Za-z0-9_.*:-]{1,100}")
PARAMETERS = ("types", "agent", "channel", "minPriority", "after", "newest")


class EventRange(NamedTuple):
    """Which events, and after which position. None: from now on, or beginning with the ``newest`` few."""

    filter: EventFilter
    after: int | None = None
    newest: int = 0


def from_query(items: Sequence[tuple[str, str]], last_event_id: str | None) -> EventRange:
    """Out of a query and the header ``Last-Event-ID``, which wins. Raises Invalid."""
    given: dict[str, Any] = {}
    for key, value in items:
        if key == "types":
            given.setdefault("types", []).extend(value.split(","))
        elif key in given:
            raise _invalid(f"{key} is given twice.")
        else:
            number = whole(value) if key in {"minPriority", "newest"} else None
            given[key] = value if number is None else number
    if last_event_id:
        given["after"] = last_event_id
    return wanted(given)


def wanted(given: Mapping[str, Any]) -> EventRange:
    """Out of a mapping. Raises Invalid ``argument.invalid`` and ``cursor.unknown``."""
    unknown = [key for key in given if key not in PARAMETERS]
    if unknown:
        raise _invalid(f"There is no parameter {unknown[0][:40]!r}.")
    types = given.get("types") or []
    if not isinstance(types, list) or len(types) > MOST_TYPES:
        raise _invalid(f"types is a list of at most {MOST_TYPES} types.")
    if not all(isinstance(one, str) and _TYPE.fullmatch(one) for one in types):
        raise _invalid("A type is something like task.claimed or task.*")
    return EventRange(
        EventFilter(
            tuple(sorted(set(types))) or None,
            _name(given, "agent"),
            _name(given, "channel"),
            _number(given, "minPriority", 3),
        ),
        None if given.get("after") in (None, "") else position_of(given["after"]),
        _number(given, "newest", MOST_NEWEST),
    )


def _name(given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST:
        raise _invalid(f"{key} is a text of at most {_LONGEST} characters.")
    return value


def _number(given: Mapping[str, Any], key: str, most: int) -> int:
    value = given.get(key, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise _invalid(f"{key} is a number from 0 to {most:,}.")
    return value


def _invalid(message: str) -> Invalid:
    return Invalid("argument.invalid", message, f"Parameters: {', '.join(PARAMETERS)}.")
