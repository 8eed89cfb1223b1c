"""The reference page of events: every type that an operation may append to the log, and what such an event carries."""

from __future__ import annotations

from collections.abc import Iterable

from comity.kernel.record import camel
from tools.emissions import COLUMNS, Emission, emissions


def page() -> str:
    """The text of ``events.md``."""
    lines = [
        "# Events",
        "",
        "Every fact is an event in the log, appended in the transaction of the operation that makes it true.",
        "[Live events](../events.md) tells how to follow them, [`event.list`](event.list.md) reads them. This page",
        "lists every type, found in the source by following what each operation calls.",
        "",
        "- *Filled*: the columns besides `id`, `eventType` and `timestamp` that an event of the type has.",
        "- *Metadata*: the keys that its `metadata` may have; not each event has all of them.",
        "- *Reason*: its `reasonCode`, where it is not `MACP_OK`.",
        "- *About*: things whose history has it.",
        "",
        "Other programs that work on the same file may append types of their own; the protocol's are among these.",
    ]
    found: dict[str, list[Emission]] = {}
    for one in emissions():
        found.setdefault(one.event_type, []).append(one)
    nouns: dict[str, list[str]] = {}
    for event_type in sorted(found):
        nouns.setdefault(event_type.partition(".")[0], []).append(event_type)
    for noun, types in nouns.items():
        lines += ["", f"## {noun}"]
        for event_type in types:
            lines += ["", f"### {event_type}", "", *_told(found[event_type])]
    return "\n".join([*lines, ""])


def _told(ways: list[Emission]) -> list[str]:
    operations = sorted({one.operation for one in ways})
    about = {name for one in ways for name in one.about}
    parts = {
        "Appended by": [f"[`{name}`]({name}.md)" for name in operations],
        "Filled": _code(camel(name) for name in COLUMNS if name in about),
        "Metadata": _code(key for one in ways for key in one.keys),
        "Reason": _code(reason for one in ways for reason in one.reasons),
        "About": _code(kind for one in ways for kind in one.subjects),
    }
    return [f"- {title}: {', '.join(dict.fromkeys(told))}" for title, told in parts.items() if told]


def _code(words: Iterable[str]) -> list[str]:
    return [
        f"`{word}`" if word != "…" else "and others" for word in sorted(dict.fromkeys(words), key=lambda w: w == "…")
    ]
