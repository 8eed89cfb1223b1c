"""``comity prune``: forget what is old, a little at a time so that nobody waits for it."""

from __future__ import annotations

import sys
from typing import Any

from comity.doors.cli.command import Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Screen

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
