"""Comparing checkouts in pairs, and each with its base: only what has changed since it was last compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comity.kernel.named_tuple import NamedTuple
from comity.rooms.radar.model import LineRange, MeetingLines, PredictedConflict
from comity.rooms.radar.rows import BASE, SeenCheckout, SeenPair
from comity.system import git_merges
from comity.system.git_look import GitLook

_TEXTS = ("contents", "content", "add/add")
_MOST_FILES = 100  # of one conflict that are told
_MOST_WITH_LINES = 10
_MOST_TOLD = 400


class Side(NamedTuple):
    """One side of a pair: its name, and the commit that stands for it."""

    name: str
    commit: str


def wanted(seen: Sequence[SeenCheckout]) -> list[tuple[Side, Side]]:
    """Which pairs there are: every two checkouts, and each with its base; not a base with what is checked out of it."""
    ordered = sorted(seen, key=lambda one: one.name)
    sides = [Side(one.name, one.snapshot) for one in ordered if one.snapshot != one.base_commit]
    found = [(one, other) for at, one in enumerate(sides) for other in sides[at + 1 :]]
    found += [
        (Side(f"{BASE}{one.base}", one.base_commit), Side(one.name, one.snapshot))
        for one in ordered
        if one.base and one.snapshot != one.base_commit
    ]
    return found


def compare(
    look: GitLook, pairs: Sequence[tuple[Side, Side]], known: Mapping[tuple[str, str], SeenPair]
) -> tuple[list[SeenPair], int]:
    """What each pair comes to, and how many of them git was asked for."""
    found: list[SeenPair] = []
    asked = 0
    for one, other in pairs:
        before = known.get((one.name, other.name))
        if before is not None and before.commits == (one.commit, other.commit) and before.state != "unknown":
            found.append(before)
            continue
        asked += 1
        found.append(_merged(look, one, other))
    return found, asked


def _merged(look: GitLook, one: Side, other: Side) -> SeenPair:
    sides = (one.name, other.name, one.commit, other.commit)
    if one.commit == other.commit:
        return SeenPair(*sides, "clean", (), ())
    made = git_merges.merge(look, one.commit, other.commit)
    if made is None:
        return SeenPair(*sides, "unknown", (), ())
    if made.clean:
        return SeenPair(*sides, "clean", (), made.both[:_MOST_FILES])
    found = []
    for at, conflict in enumerate(made.conflicts[:_MOST_FILES]):
        lines = []
        if conflict.kind in _TEXTS and at < _MOST_WITH_LINES and conflict.paths:
            lines = [
                MeetingLines(LineRange(*hunk.left), LineRange(*hunk.right))
                for hunk in git_merges.hunks(look, made, conflict.paths[0], one.commit, other.commit)
            ]
        told = _plainly(conflict.told, one, other)
        found.append(PredictedConflict(conflict.kind, list(conflict.paths), told, lines))
    return SeenPair(*sides, "conflict", tuple(found), made.both[:_MOST_FILES])


def _plainly(told: str, one: Side, other: Side) -> str:
    """Git's sentence with the sides' names for their commits."""
    for side in (one, other):
        told = told.replace(side.commit, side.name)
    return told[:_MOST_TOLD]
