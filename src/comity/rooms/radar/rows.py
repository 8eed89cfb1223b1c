"""Rows of the radar: what it saw of each checkout, and what the merge of each pair would come to."""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.text import compact, read_list, read_strings
from comity.rooms.radar.model import LineRange, MeetingLines, PredictedConflict
from comity.rooms.worktrees.rows import own_process

BASE = "base:"  # in front of a base branch's name, where it stands for a side of a pair


class SeenCheckout(NamedTuple):
    """One checkout as it was seen."""

    name: str
    path: str
    branch: str
    head: str
    snapshot: str
    mark: str
    changed: tuple[str, ...]
    added: tuple[str, ...]
    left_out: int
    base: str
    base_commit: str
    seen_ms: int = 0


class SeenPair(NamedTuple):
    """What merging two would come to, at these commits. ``state``: clean, conflict, or unknown: git had no answer."""

    one: str
    other: str
    one_commit: str
    other_commit: str
    state: str
    found: tuple[PredictedConflict, ...]
    both: tuple[str, ...]
    since_ms: int = 0

    @property
    def commits(self) -> tuple[str, str]:
        """Of which states this is said."""
        return self.one_commit, self.other_commit

    @property
    def paths(self) -> set[str]:
        """Every path of a conflict."""
        return {path for one in self.found for path in one.paths}


def checkouts(scope: Scope) -> dict[str, SeenCheckout]:
    """All that were seen, by name."""
    found = {}
    for row in scope.tx.all("radar.checkouts"):
        lists = (tuple(read_strings(row[6]) or ()), tuple(read_strings(row[7]) or ()))
        found[str(row[0])] = SeenCheckout._make((*row[:6], *lists, *row[8:]))
    return found


def pairs(scope: Scope) -> dict[tuple[str, str], SeenPair]:
    """All that were looked at."""
    found = {}
    for one, other, one_commit, other_commit, state, told, both, since_ms in scope.tx.all("radar.pairs"):
        conflicts = tuple(_conflict(item) for item in read_list(told) or () if isinstance(item, list))
        sides = (one, other, one_commit, other_commit)
        found[one, other] = SeenPair(*sides, state, conflicts, tuple(read_strings(both) or ()), since_ms)
    return found


def put(scope: Scope, seen: SeenCheckout) -> None:
    """Write down one checkout."""
    told = {**seen._asdict(), "changed": compact(list(seen.changed)), "added": compact(list(seen.added))}
    del told["seen_ms"]
    scope.tx.run("radar.put_checkout", now_ms=scope.now.ms, **told)


def put_pair(scope: Scope, pair: SeenPair) -> None:
    """Write down one pair."""
    told = {name: getattr(pair, name) for name in ("one", "other", "one_commit", "other_commit", "state")}
    found = compact([_plain(one) for one in pair.found])
    scope.tx.run("radar.put_pair", found=found, both=compact(list(pair.both)), now_ms=scope.now.ms, **told)


def keep_only(scope: Scope, names: list[str]) -> None:
    """Forget checkouts that are gone."""
    scope.tx.run("radar.drop_checkouts", names=compact(names))


def drop_pair(scope: Scope, pair: SeenPair) -> None:
    """There is nothing to be said of these two any more."""
    scope.tx.run("radar.drop_pair", one=pair.one, other=pair.other)


def take_turn(scope: Scope, turn_ms: int) -> bool:
    """Whether this process is the one that looks by itself from now on, for so long."""
    until_ms = scope.now.ms + turn_ms
    return bool(scope.tx.run("radar.take_turn", process=own_process(scope), until_ms=until_ms, now_ms=scope.now.ms))


def has_turn(scope: Scope) -> bool | None:
    """Whether this process has the turn for a while yet; None: it may be had."""
    row = scope.tx.one("radar.turn")
    if row is None or row[1] <= scope.now.ms:
        return None
    return str(row[0]) == own_process(scope)


def _plain(one: PredictedConflict) -> list[object]:
    return [one.kind, one.paths, one.told, [[*lines.one, *lines.other] for lines in one.lines]]


def _conflict(item: list[object]) -> PredictedConflict:
    kind, paths, told, lines = (*item, None, None, None, None)[:4]
    listed = [four for four in (lines if isinstance(lines, list) else ()) if isinstance(four, list) and len(four) == 4]
    return PredictedConflict(
        str(kind),
        [str(path) for path in (paths if isinstance(paths, list) else ())],
        str(told),
        [MeetingLines(LineRange(a, b), LineRange(c, d)) for a, b, c, d in listed],
    )
