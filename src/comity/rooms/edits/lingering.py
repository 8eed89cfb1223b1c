"""Files that were changed while nobody's command was known to run, and what may have written them in the background.

A command that ends in ``&`` may write long after its hook. Its agent's letters and the times of files are all that is
known, so that this counts for little: such a file is kept and a sweep of it is refused once, and whoever edits it is
free to.
"""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims.paths import Base
from comity.rooms.claims.places import Places
from comity.rooms.turns import speaker
from comity.rooms.work import facts
from comity.rooms.work.facts import BACKGROUND, FilePlace, NewWork
from comity.system.fingerprints import changed_ms, stamp


def note(steps: Steps, base: Base, files: Sequence[str]) -> bool:
    """Of changed files that nobody is known to have changed, note those that may be such an agent's; whether any is."""
    agents = steps.read(_agents, base) if files else []
    found = [one for path in files if (one := _written(base, agents, path)) is not None] if agents else []
    return bool(found) and steps.write(_note, found) > 0


def _agents(scope: Scope, base: Base) -> list[tuple[int, str]]:
    """When commands of others ended that may have left something running here, and whose they were, the last first."""
    scope = speaker.seen(scope)
    where = {"repository": base.repository, "worktree": base.worktree}
    rows = scope.tx.all("edits.lingering", agent_id=scope.actor.agent_id, now_ms=scope.now.ms, **where)
    return [(int(row[0]), str(row[1])) for row in rows]


def _written(base: Base, agents: Sequence[tuple[int, str]], path: str) -> NewWork | None:
    seen = stamp(path)
    named = Places(base).entry(path) if seen else None
    at_ms = changed_ms(seen)
    able = [agent_id for ended_ms, agent_id in agents if ended_ms <= at_ms]
    if named is None or not able:
        return None
    there, target = named
    place = FilePlace(there.repository, there.worktree, there.key(target.path))
    return NewWork(place, target.path, able[0], at_ms, BACKGROUND, "", seen, tuple(able[1:]))


def _note(scope: Scope, found: Sequence[NewWork]) -> int:
    """How many of them were nobody's until now."""
    count = 0
    for one in found:
        if not facts.at(scope, one.place.repository, one.place.worktree, [one.place.key]):
            facts.put(scope, one)
            count += 1
    return count
