"""One look of the radar: what changed is looked at and compared, the rest is as it was; then both sides are told.

Git runs between two transactions. Whoever was faster has written down a newer state by then; what is older is dropped.
"""

from __future__ import annotations

import os
import shutil

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.agents import presence
from comity.rooms.radar import comparison, notices, rows, sight, signs
from comity.rooms.radar.model import PairState, Radar, RadarCheckout, RadarPair
from comity.rooms.radar.notices import Concerned
from comity.rooms.radar.rows import SeenCheckout, SeenPair
from comity.rooms.radar.sight import OBJECTS, Ground
from comity.rooms.worktrees import survey
from comity.rooms.worktrees.rows import real
from comity.system import files
from comity.system.git_look import GitLook

_MOST_OBJECTS = 20_000
_MOST_NAMED = 20  # files of an event


class LastLook(NamedTuple):
    """What is written down before a look."""

    ground: Ground
    checkouts: dict[str, SeenCheckout]
    pairs: dict[tuple[str, str], SeenPair]


def look(steps: Steps, *, anew: bool) -> Radar:
    """Look at what changed, and answer how everything stands."""
    if not survey.is_repository(steps.actor):
        return Radar([], [], [survey.NO_REPOSITORY])
    there = survey.main_repository(steps.actor)
    known = steps.read(_known)
    objects, fresh = _objects(steps)
    anew = anew or fresh
    places = sight.places(steps.actor, there, known.ground)
    seen: list[SeenCheckout] = []
    changed: list[SeenCheckout] = []
    notes: list[str] = []
    for at, place in enumerate(places):
        before = known.checkouts.get(place.name)
        if before is not None and sight.same(place, before) and not anew:
            seen.append(before)
            continue
        steps.report(at, len(places), f"looking at {place.name}")
        found = sight.look(place, objects)
        if found is None:
            notes.append(
                f"{quoted(place.name)}: git does not tell what is in it (a merge or rebase is under way there?)."
            )
            continue
        seen.append(found)
        changed.append(found)
    pairs = comparison.wanted(seen)
    with GitLook(there, objects=objects) as git:
        compared, asked = comparison.compare(git, pairs, known.pairs)
    if changed or asked or len(seen) != len(known.checkouts):
        known = steps.write(_record, known, seen, changed, compared)
    return _answer(known, notes, len(changed), asked)


def stored(steps: Steps) -> Radar:
    """How everything stood at the last look."""
    known = steps.read(_known)
    return _answer(known, [], 0, 0)


def _known(scope: Scope) -> LastLook:
    return LastLook(sight.ground(scope), rows.checkouts(scope), rows.pairs(scope))


def _objects(steps: Steps) -> tuple[str, bool]:
    """The folder for snapshots, and whether nothing is in it yet: one with too much in it is begun anew."""
    base = os.path.dirname(steps.actor.database)
    path = os.path.join(base, OBJECTS)
    if sum(len(names) for _, _, names in os.walk(path)) > _MOST_OBJECTS:
        shutil.rmtree(path, ignore_errors=True)
    return path, files.make_folder(base, OBJECTS)


def _record(
    scope: Scope, known: LastLook, seen: list[SeenCheckout], changed: list[SeenCheckout], compared: list[SeenPair]
) -> LastLook:
    """Write down what was found, unless somebody has written newer things, and tell whoever it concerns.

    What is known then.
    """
    now = rows.pairs(scope)
    by_name = {one.name: one for one in seen}
    concerned = _concerned(scope, by_name)
    wanted = {(pair.one, pair.other) for pair in compared}
    left = [pair._replace(state="clean", found=(), both=()) for sides, pair in now.items() if sides not in wanted]
    for pair in (*compared, *left):
        sides = pair.one, pair.other
        before = now.get(sides)
        if before != known.pairs.get(sides):
            continue  # whoever was faster has told it
        if sides in wanted and before is not None and (before.commits, before.state) == (pair.commits, pair.state):
            continue
        new, gone = notices.of_pair(scope, before, pair, by_name, concerned)
        if sides in wanted:
            rows.put_pair(scope, pair)
        else:
            rows.drop_pair(scope, pair)
        subjects = tuple(("worktree", side) for side in sides)
        if new:
            scope.emit(Event("radar.conflict", metadata=_about(pair, new), subjects=subjects))
        if gone:
            scope.emit(Event("radar.cleared", metadata=_about(pair, gone), subjects=subjects))
    for one in changed:
        rows.put(scope, one)
    rows.keep_only(scope, list(by_name))
    return _known(scope)


def _about(pair: SeenPair, files: set[str]) -> dict[str, object]:
    return {"one": pair.one, "other": pair.other, "files": sorted(files)[:_MOST_NAMED]}


def _concerned(scope: Scope, seen: dict[str, SeenCheckout]) -> dict[str, Concerned]:
    """Whose each checkout is: who made it, who works in it, and who has uncommitted work in it."""
    ground = sight.ground(scope)
    root = os.path.realpath(scope.actor.root)
    agents: dict[str, set[str]] = {name: set(ground.writers.get(one.path, ())) for name, one in seen.items()}
    places = {one.path: name for name, one in seen.items()}
    for made in ground.made:
        name = places.get(made.path(root))
        if name is not None:
            agents[name].add(made.agent_id)
    for reported, verdict in presence.verdicts(scope):
        name = places.get(real(reported.worktree)) if reported.worktree else None
        if name is not None and verdict.state in ("alive", "leased"):
            agents[name].add(reported.agent_id)
    return {name: Concerned(tuple(sorted(some)), notices.title(name, some)) for name, some in agents.items()}


def _answer(known: LastLook, notes: list[str], looked: int, merged: int) -> Radar:
    ground, by_name = known.ground, known.checkouts
    tasks = {one.name: one for one in ground.made}
    checkouts = []
    for one in by_name.values():
        made = tasks.get(one.name)
        agents = sorted({*ground.writers.get(one.path, ()), *((made.agent_id,) if made else ())})
        checkouts.append(
            RadarCheckout(
                *(one.name, one.path, one.branch, one.head, one.base, len(one.changed), one.left_out),
                Instant.at(one.seen_ms).iso,
                agents,
                made.task if made else None,
            )
        )
    pairs = [_pair(one, by_name) for one in _worst_first(list(known.pairs.values()))]
    return Radar(checkouts, pairs, notes, looked, merged)


def _worst_first(pairs: list[SeenPair]) -> list[SeenPair]:
    order = {"conflict": 0, "unknown": 1, "clean": 2}
    return sorted(pairs, key=lambda pair: (order.get(pair.state, 3), pair.one, pair.other))


def _pair(pair: SeenPair, seen: dict[str, SeenCheckout]) -> RadarPair:
    sides = [seen[name] for name in (pair.one, pair.other) if name in seen]
    told = signs.numbers_twice(sides[0].added, sides[1].added) if len(sides) == 2 else []
    state: PairState = "conflict" if pair.state == "conflict" else "clean" if pair.state == "clean" else "unknown"
    since = Instant.at(pair.since_ms).iso
    committed = notices.committed(pair, seen)
    return RadarPair(pair.one, pair.other, state, list(pair.found), list(pair.both), told, committed, since)
