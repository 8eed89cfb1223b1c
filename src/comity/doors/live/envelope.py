"""The one JSON envelope of the WebSocket: what a client may say, and how answers are written. See docs/events.md."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from comity.kernel.problem import Invalid, Problem
from comity.kernel.text import cursor_at, lenient
from comity.server.feed.kinds import EventText

MAX_BYTES = 1024 * 1024  # of one message of a client
EVENTS_BYTES = 256 * 1024  # of one message with events
TYPES = ("authenticate", "subscribe", "unsubscribe", "call", "ping")
_LONGEST_ID = 200


class Said(NamedTuple):
    """One message of a client. ``id`` is its own name for what it asks."""

    id: int | str | None
    type: str
    body: dict[str, Any]


class Unreadable(Exception):
    """A message that is no envelope. It is answered like any other problem; too many end the connection."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class Envelopes(NamedTuple):
    """How events are framed for one subscription: those with the same id share what was made."""

    subscription: int | str

    def frame(self, told: Sequence[EventText]) -> tuple[tuple[str, ...], int]:
        """Several events as messages."""
        texts = tuple(
            f'{{"type":"events","id":{lenient(self.subscription).decode()},"cursor":"{cursor_at(some[-1].position)}",'
            f'"events":[{",".join(one.json for one in some)}]}}'
            for some in _in_parts(told)
        )
        return texts, sum(map(len, texts))


def read(message: dict[str, Any]) -> Said:
    """What a ``websocket.receive`` holds. Raises Unreadable."""
    raw = message.get("text")
    if raw is None:
        raw = message.get("bytes") or b""
    if len(raw) > MAX_BYTES:
        raise Unreadable(Invalid("message.too_large", f"A message has at most {MAX_BYTES:,} bytes.", "Send less."))
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable(Invalid("message.not_json", "The message is not JSON.", "Send one JSON object.")) from None
    if not isinstance(value, dict):
        raise Unreadable(Invalid("message.not_object", "The message is not a JSON object.", "Send one JSON object."))
    number, kind = value.pop("id", None), value.pop("type", None)
    if number is not None and (isinstance(number, bool) or not isinstance(number, int | str)):
        raise Unreadable(Invalid("message.id", "An id is a whole number or a text.", "Number your messages."))
    if len(str(number)) > _LONGEST_ID:
        raise Unreadable(Invalid("message.id", f"An id has at most {_LONGEST_ID} characters.", "Number your messages."))
    if kind not in TYPES:
        hint = f"The types are {', '.join(TYPES)}."
        raise Unreadable(Invalid("message.type", f"There is no message of type {str(kind)[:40]!r}.", hint))
    return Said(number, kind, value)


def write(kind: str, number: int | str | None = None, **members: Any) -> str:
    """An answer."""
    value: dict[str, Any] = {"type": kind}
    if number is not None:
        value["id"] = number
    return lenient({**value, **members}).decode()


def refusal(problem: Problem, number: int | str | None = None, *, replayed: bool = False) -> str:
    """A problem as an answer; ``replayed``: it is that of an earlier call under the same key."""
    told = {
        "reason": problem.reason,
        "kind": problem.kind,
        "message": problem.message,
        "hint": problem.hint,
        "data": problem.data,
    }
    return write("problem", number, problem=told, **({"replayed": True} if replayed else {}))


def _in_parts(told: Sequence[EventText]) -> Iterator[list[EventText]]:
    some: list[EventText] = []
    size = 0
    for one in told:
        if some and size + len(one.json) > EVENTS_BYTES:
            yield some
            some, size = [], 0
        some.append(one)
        size += len(one.json)
    if some:
        yield some
