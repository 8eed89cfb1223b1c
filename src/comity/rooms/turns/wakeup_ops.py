"""Operations of whoever waits beside an idle session to wake it. Only they load this."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.turns import wakeups
from comity.rooms.turns.model import Least, Rests, Wake, Watched, Watcher


@op("turn.watch", effect="write", example={"watcher": "hook-4711"})
def watch_turn(scope: Scope, *, watcher: Watcher, rests: Rests = False) -> Watched:
    """Wait beside a host's session, in place of whoever waited before."""
    return wakeups.watch(scope, watcher, rests=rests)


def _nothing_due(scope: Scope, *, watcher: str = "", least: str = "steering") -> Wake | None:
    return wakeups.look(scope, watcher, least)


@op("turn.wake", effect="write", example={}, peek=_nothing_due)
def wake_turn(scope: Scope, *, watcher: Watcher = "", least: Least = "steering") -> Wake:
    """Say whether the idle session is to be woken now.

    Whoever is told so is the only one, and has to do it.
    """
    return wakeups.wake(scope, watcher, least)
