"""``comity prune``: forget what is old, in short steps. ``comity pause`` and ``comity resume``: hold everybody up."""

from __future__ import annotations

import sys
from typing import Any

from comity.doors.cli.command import Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Screen, clock

_KINDS = ("expired", "messages", "events", "claims")


def _prune(invocation: Invocation, values: Values) -> Any:
    invocation.require_database()
    watched = sys.stderr.isatty() and not invocation.json
    total = invocation.call("workspace.prune", **values)
    while total.more:
        if watched:
            print(
                f"\r{total.messages:,} messages, {total.events:,} events removed", end="", file=sys.stderr, flush=True
            )
        step = invocation.call("workspace.prune", **values)
        sums = {kind: getattr(total, kind) + getattr(step, kind) for kind in _KINDS}
        total = step._replace(**sums)
    if watched:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return total


def _show_pruned(screen: Screen, pruned: Any) -> None:
    done = "Would be removed" if pruned.dry_run else "Removed"
    labels = {
        "expired": "Expired messages of agents that are gone, marked",
        "messages": "Finished messages",
        "events": "Events",
        "claims": "Finished claims",
    }
    rows = [(labels[kind], f"{getattr(pruned, kind):,}") for kind in _KINDS]
    screen.table((Column(done, flexible=True), Column("Rows", right=True)), rows)


prune = command(
    _prune,
    show=_show_pruned,
    ops=("workspace.prune",),
    omit=("limit",),
    needs="project",
    doc="""Remove finished messages, old events and finished claims.

    Pending messages are never removed. It works in short steps, so that agents can go on meanwhile.
    """,
    example="comity prune --older-than-days 7 --dry-run",
)


def _pause(invocation: Invocation, values: Values) -> Any:
    invocation.require_database()
    return invocation.call("workspace.pause", **values)


def show_pause(screen: Screen, pause: Any) -> None:
    """Who paused the workspace, since when, until when, and why."""
    until = f" until {clock(pause.until)}" if pause.until else ""
    why = f": {pause.reason}" if pause.reason else ""
    screen.say((f"Paused by {pause.agent_name} since {clock(pause.since)}{until}", "bold yellow"), why)


def _show_paused(screen: Screen, paused: Any) -> None:
    show_pause(screen, paused.pause)
    screen.say("Nobody takes, adds or finishes work or edits files until `comity resume`; reading and talking go on.")


pause = command(
    _pause,
    show=_show_paused,
    ops=("workspace.pause",),
    positional=("reason",),
    needs="project",
    example='comity pause "The main branch is being repaired." --minutes 30',
)


def _resume(invocation: Invocation, _: Values) -> Any:
    invocation.require_database()
    return invocation.call("workspace.resume")


def _show_resumed(screen: Screen, resumed: Any) -> None:
    if not resumed.resumed:
        screen.say("The workspace is not paused.")
        return
    screen.say(f"The workspace goes on. {resumed.ended.agent_name} had paused it at {clock(resumed.ended.since)}.")


resume = command(_resume, show=_show_resumed, ops=("workspace.resume",), needs="project", example="comity resume")
