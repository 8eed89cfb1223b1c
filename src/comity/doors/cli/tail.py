"""``comity tail``: the log of everything that happens, live.

A page of the newest events, then a cursor: each further page waits until another process writes. Registers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Part, Screen, clock, priority, write_json
from comity.doors.cli.urgency import MIN_PRIORITY, level
from comity.kernel.problem import Invalid

_WAIT_MS = 60_000
_MOST = 1000


def _tail(invocation: Invocation, values: Values) -> None:
    invocation.require_database()
    last, follow = values.get("last", 10), values.get("follow", True)
    if not 0 <= last <= _MOST:
        raise Invalid("argument.invalid", f"--last must be from 0 to {_MOST:,}.", "Ask for less, or follow on.")
    wanted = {
        "channel_id": values.get("channel"),
        "agent_id": values.get("agent_id"),
        "event_types": values.get("event_types") or None,
        "min_priority": level(values.get("min_priority")),
    }
    screen = None if invocation.json else Screen()
    page = invocation.call("event.list", newest=last or 1, limit=max(1, last), **wanted)
    _print(screen, page.events if last else [])
    while follow:
        page = invocation.call("event.list", after=page.cursor, wait_ms=_WAIT_MS, **wanted)
        _print(screen, page.events)


def _print(screen: Screen | None, events: list[Any]) -> None:
    if screen is None:
        for event in events:
            write_json(event, indent=None)
    else:
        show_events(screen, events)


def show_events(screen: Screen, events: Iterable[Any]) -> None:
    """Events for people, one a line; a message to several agents is one line."""
    waiting: list[Any] = []
    for event in events:
        if waiting and not (_is_send(event) and event.message_id == waiting[0].message_id):
            _show(screen, waiting)
            waiting = []
        waiting.append(event)
        if not _is_send(event):
            _show(screen, waiting)
            waiting = []
    if waiting:
        _show(screen, waiting)


def _is_send(event: Any) -> bool:
    return bool(event.event_type == "message.send" and event.message_id)


def _show(screen: Screen, events: list[Any]) -> None:
    event = events[0]
    where = f" #{event.channel_id}" if event.channel_id else ""
    parts: list[Part] = [(f"{clock(event.timestamp)} ", "dim")]
    if event.priority is not None:
        parts += [priority(event.priority), " "]
    if _is_send(event):
        receivers = ", ".join(str(one.agent_id) for one in events)
        sender = event.from_name or event.from_agent_id or "?"
        parts += [(sender, "bold"), f" → {receivers}{where}"]
    else:
        parts += [event.event_type, " ", (event.agent_id or "", "bold"), where]
    if event.reason_code != "MACP_OK":
        parts += [" ", (event.reason_code, "red")]
    screen.say(*(_one_line(part) for part in parts))
    if event.excerpt and _is_send(event):
        screen.say(" ".join(event.excerpt.split()), indent=2)


def _one_line(part: Part) -> Part:
    if isinstance(part, str):
        return part.replace("\n", " ")
    return part[0].replace("\n", " "), part[1]


tail = command(
    _tail,
    needs="project",
    options=(
        Option("channel", str | None, "Only what happens in this channel.", default=None),
        Option("agent_id", str | None, "Only what concerns this agent.", default=None, flags=("--agent",)),
        Option(
            "event_types",
            list[str] | None,
            "Only these kinds, such as message.send (repeatable).",
            default=None,
            flags=("--type",),
        ),
        MIN_PRIORITY,
        Option("last", int, "Begin with this many of the newest events (0 to 1,000).", default=10),
        Option("follow", bool, "Go on as things happen; Ctrl-C ends it.", default=True),
    ),
    doc="""Follow what happens, live.

    With --json each event is one line. --min-priority keeps only events of messages of that urgency.
    """,
    example="comity tail --channel backend --min-priority steering",
)
