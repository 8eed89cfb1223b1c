"""Operations of the radar."""

from __future__ import annotations

from comity.kernel.op import long_op, op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.radar import look, rows, sight
from comity.rooms.radar.model import TURN_MS, Anew, Changes, ConflictsOnly, Radar, Turn, TurnMs


def _others(scope: Scope, *, turn_ms: int = 0) -> Turn | None:
    """The answer while it is another process's turn."""
    del turn_ms
    return Turn(False) if rows.has_turn(scope) is False else None


@op("radar.changes", effect="read", example={})
def last_change(scope: Scope) -> Changes:
    """Say when an agent was last known to have changed a file, so that it is seen when to look again."""
    return Changes(sight.last_change_ms(scope))


@long_op("radar.look", effect="write", example={})
def look_around(steps: Steps, *, anew: Anew = False, conflicts: ConflictsOnly = False) -> Radar:
    """Say which checkouts will conflict with each other and with their base, in which files and lines.

    It is git's own merge, with uncommitted work; nothing in the repository changes. Whom a new conflict concerns gets a
    message. Only what changed since the last look is looked at, unless ``anew`` says so.
    """
    found = look.look(steps, anew=anew)
    return _only(found) if conflicts else found


@long_op("radar.show", effect="read", example={})
def show_radar(steps: Steps, *, conflicts: ConflictsOnly = False) -> Radar:
    """Say what the last look of the radar found, without looking."""
    found = look.stored(steps)
    return _only(found) if conflicts else found


@op("radar.turn", effect="write", example={}, peek=_others)
def take_turn(scope: Scope, *, turn_ms: TurnMs = TURN_MS) -> Turn:
    """Be the one process that looks by itself, for a while. Sessions and servers do it by themselves."""
    return Turn(rows.take_turn(scope, turn_ms))


def _only(found: Radar) -> Radar:
    return found._replace(pairs=[one for one in found.pairs if one.state == "conflict" or one.signs])
