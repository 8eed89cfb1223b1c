"""``comity radar``: which checkouts will conflict, as a matrix and then by file."""

from __future__ import annotations

import time
from typing import Any

from comity.doors.cli import clean
from comity.doors.cli.command import Option, Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Part, Screen, clock, count, write_json
from comity.rooms.radar.model import MeetingLines, PredictedConflict, Radar, RadarPair
from comity.rooms.radar.rows import BASE

_WAIT_MS = 60_000
_MARKS: dict[str, Part] = {"conflict": ("✗", "bold red"), "clean": ("·", "green"), "unknown": ("?", "yellow")}
_UNCOMMITTED: Part = ("✗*", "red")
_EVENTS = ["radar.conflict", "radar.cleared"]


def _look(invocation: Invocation, values: Values) -> Any:
    invocation.require_database()
    watch = values.pop("watch", False)
    found = invocation.call("radar.look", **values)
    if not watch:
        return found
    screen = None if invocation.json else Screen()
    cursor = invocation.call("event.list", newest=1, limit=1, event_types=_EVENTS).cursor
    while True:
        _print(screen, found)
        seen = found.pairs
        while found.pairs == seen:
            page = invocation.call("event.list", after=cursor, wait_ms=_WAIT_MS, event_types=_EVENTS)
            cursor = page.cursor
            found = invocation.call("radar.look", **values)


def _print(screen: Screen | None, found: Radar) -> None:
    if screen is None:
        write_json(found, indent=None)
        return
    screen.say((f"── {time.strftime('%H:%M:%S')} ", "dim"))
    _show(screen, found)


def _show(screen: Screen, found: Radar) -> None:
    names = [one.name for one in found.checkouts]
    bases = sorted({one.base for one in found.checkouts if one.base})
    if len(names) < 2 and not found.pairs:
        screen.say("There is one checkout only. comity worktree add TASK makes one for a task.")
        return
    pairs = {(one.one, one.other): one for one in found.pairs}
    sides = [*(f"{BASE}{base}" for base in bases), *names]
    numbers = {side: str(at) for at, side in enumerate(sides)}
    columns = [
        Column("#", right=True),
        Column("Checkout", flexible=True),
        Column("Branch", flexible=True),
        Column("Whose", flexible=True),
        Column("Changed", right=True),
        *(Column(number, right=True) for number in numbers.values()),
    ]
    by_name = {one.name: one for one in found.checkouts}
    rows = []
    for side in sides:
        checkout = by_name.get(side)
        cells = [_cell(pairs, side, other) for other in sides]
        if checkout is None:
            rows.append((numbers[side], f"{side.removeprefix(BASE)} (base)", "", "", "", *cells))
            continue
        changed = str(checkout.changed) if checkout.changed else ""
        name = "main checkout" if side == "." else side
        rows.append((numbers[side], name, checkout.branch, ", ".join(checkout.agents), changed, *cells))
    screen.table(columns, rows)
    screen.say(("✗ will conflict, * with uncommitted work; · goes together; ? git does not tell", "dim"))
    for pair in found.pairs:
        _show_pair(screen, pair)
    for note in found.notes:
        screen.say((note, "yellow"))


def _cell(pairs: dict[tuple[str, str], RadarPair], one: str, other: str) -> Part:
    pair = pairs.get((one, other)) or pairs.get((other, one))
    if pair is None:
        return ""
    return _UNCOMMITTED if pair.state == "conflict" and not pair.committed else _MARKS[pair.state]


def _show_pair(screen: Screen, pair: RadarPair) -> None:
    if not (pair.conflicts or pair.signs):
        return
    screen.say("")
    since = f" since {clock(pair.since)}" if pair.since else ""
    screen.say((f"{_name(pair.one)} and {_name(pair.other)}", "bold"), f"{since}:")
    for conflict in pair.conflicts:
        screen.say(_conflict(conflict), indent=2)
    for sign in pair.signs:
        screen.say((sign, "yellow"), indent=2)


def _name(side: str) -> str:
    return f"base {side.removeprefix(BASE)}" if side.startswith(BASE) else "main checkout" if side == "." else side


def _conflict(conflict: PredictedConflict) -> str:
    paths = ", ".join(map(clean.path, conflict.paths))
    if not conflict.lines:
        return f"{paths}: {conflict.kind}"
    return f"{paths}: lines {', '.join(map(_lines, conflict.lines))} ({count(len(conflict.lines), 'place')})"


def _lines(lines: MeetingLines) -> str:
    one, other = (str(at.first) if at.last <= at.first else f"{at.first}-{at.last}" for at in lines)
    return one if one == other else f"{one} against {other}"


radar = command(
    _look,
    show=_show,
    ops=("radar.look",),
    options=(Option("watch", bool, "Go on: show it again when something changes; Ctrl-C ends it.", default=False),),
    doc="""Show which checkouts will conflict with each other and with their base.

    It is git's own merge, with uncommitted work; nothing in the repository changes. First the matrix, then the files.
    """,
    example="comity radar --watch",
)
