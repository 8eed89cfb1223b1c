"""What a line does to an index, which all agents of a checkout share: peers' work that it would commit, and what they
have staged that it would put back or overwrite.

The changes of the line are followed in their order: what it stages itself counts for its commits. Git is asked what is
staged only where a peer has work, or holds files, in that checkout.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from comity.rooms.claims.paths import Base
from comity.rooms.edits.sight import path_of
from comity.rooms.edits.stakes import Stake, StakeSearch, of_index
from comity.rooms.work.facts import Work
from comity.shell.changes import Change, reaches
from comity.system import git, git_kinds, repository
from comity.system.inside import within


class _Index:
    """One index: the absolute paths of what was ``staged`` (None when git did not say), and what the line adds."""

    def __init__(self, staged: set[str] | None) -> None:
        self.staged = staged
        self.added: set[str] = set()
        self.adding: list[Change] = []

    def has(self, path: str) -> bool:
        """Whether a commit of this index would record a change of the file; in doubt it would."""
        return self.staged is None or path in self.staged or path in self.added

    def forget(self, paths: set[str], change: Change) -> None:
        """These are as the last commit has them, or were committed."""
        self.added -= paths
        if self.staged is not None:
            self.staged -= paths
        self.adding = [] if change.whole or not change.paths else self.adding


class IndexStakes:
    """The indexes of one line."""

    def __init__(self, search: StakeSearch, changes: Sequence[Change]) -> None:
        self._search = search
        self._indexes: dict[tuple[str, str], _Index] = {}
        self._records = any(change.how == "commit" for change in changes)

    def stakes(self, changes: Sequence[Change]) -> list[Stake]:
        """What each of them takes of peers; those that take nothing are left out."""
        found = [self._stake(change) for change in changes if of_index(change)]
        return [one for one in found if one.works or any(paths for _, paths in one.claimed)]

    def _stake(self, change: Change) -> Stake:
        """What peers would lose of their staging, or find in a commit of somebody else."""
        works = [work for work in self._search.living if self._search.enters(change, work)]
        held = self._search.held(change.place)
        if (change.how == "index" and not change.staging) or not (works or held):
            return Stake(change)
        if change.staging == "adds":
            return self._added(change, works, held)
        return self._dropped(change, works, held) if change.how == "index" else self._recorded(change, works, held)

    def _index(self, change: Change) -> _Index:
        key = (change.place, change.of_index)
        if key not in self._indexes:
            there = repository.around(change.place)
            outside = there is None or (change.of_index and not within(change.of_index, there.private))
            listed = [] if there is None or outside else git.staged(there, change.of_index or None)
            self._indexes[key] = _Index(None if listed is None else {*listed})
        return self._indexes[key]

    def _added(self, change: Change, works: Sequence[Work], held: Sequence[Base]) -> Stake:
        """Staging a peer's file takes nothing, unless it has staged another content of it."""
        reached = [work for work in works if _adds(change, work)]
        if not reached and not (held and self._records):
            return Stake(change)
        index = self._index(change)
        index.adding.append(change)
        paths = {path_of(work) for work in reached}
        staged = (
            [] if index.staged is None or change.of_index else [one for one in reached if path_of(one) in index.staged]
        )
        unlike = _unlike_in_tree(change.place, [path_of(work) for work in staged]) if staged else frozenset()
        index.added |= paths
        lost = tuple(work for work in staged if path_of(work) in unlike)
        return Stake(change, works=lost, taken="staged") if lost else Stake(change)

    def _dropped(self, change: Change, works: Sequence[Work], held: Sequence[Base]) -> Stake:
        """What is staged is put back."""
        index = self._index(change)
        staged = () if change.of_index else [work for work in works if reaches(change, path_of(work))]
        lost = tuple(work for work in staged if index.staged is None or path_of(work) in index.staged)
        paths = set() if index.staged is None else {path for path in index.staged if reaches(change, path)}
        claimed = () if change.of_index else _by_base(held, paths)
        unknown = index.staged is None
        index.forget({*paths, *(path for path in index.added if reaches(change, path))}, change)
        return Stake(change, works=lost, claimed=claimed, unknown=unknown and bool(lost), taken="staged")

    def _recorded(self, change: Change, works: Sequence[Work], held: Sequence[Base]) -> Stake:
        """A commit: of all that is in the index, of what is named, or of both."""
        everything = change.staging == "records"
        known = self._indexes.get((change.place, change.of_index), _Index(set()))
        index = self._index(change) if everything else known
        named = bool(change.whole or change.paths or change.patterns)
        wanted = [
            work
            for work in works
            if (everything and index.has(path_of(work))) or (named and reaches(change, path_of(work)))
        ]
        staged = index.staged or set()
        kinds = self._search.kinds(work for work in wanted if path_of(work) not in staged)
        lost = tuple(work for work in wanted if _goes_in(kinds.get(work, "tracked"), path_of(work) in index.added))
        paths = self._paths(change, index, held) if held else set()
        stake = Stake(
            change,
            works=lost,
            claimed=_by_base(held, paths),
            unknown=index.staged is None and bool(lost),
            taken="committed",
        )
        index.forget({*staged, *index.added} if everything else {path_of(work) for work in lost}, change)
        return stake

    def _paths(self, change: Change, index: _Index, held: Sequence[Base]) -> set[str]:
        """All that the commit would record, whoever changed it; asked for where peers hold files by claims."""
        everything = change.staging == "records"
        found = {*(index.staged or ())} if everything else set()
        wide = [change] if change.whole or change.paths or change.patterns else []
        wide += index.adding if everything else []
        for one in wide:
            for base in held:
                listed = self._search.listed(base.folder, one)
                if listed is not None:
                    found |= {path for path in listed.tracked if reaches(one, path)}
                    if one.staging == "adds" and one.untracked:
                        found |= {path for path in listed.untracked if reaches(one, path)}
        return found


def _adds(change: Change, work: Work) -> bool:
    return reaches(change, path_of(work)) and (change.untracked or work.kind != "untracked")


def _goes_in(kind: str, added: bool) -> bool:
    """Whether a commit records a file that git calls so; it must be in the index before."""
    return kind in ("tracked", "unknown") or (kind == "untracked" and added)


def _by_base(held: Sequence[Base], paths: set[str]) -> tuple[tuple[Base, tuple[str, ...]], ...]:
    """Absolute paths by the checkouts that they are in."""
    found = []
    for base in held:
        inside = sorted(os.path.relpath(path, base.folder) for path in paths if within(path, base.folder))
        if inside:
            found.append((base, tuple(inside)))
    return tuple(found)


def _unlike_in_tree(place: str, paths: Sequence[str]) -> frozenset[str]:
    """Those staged files whose content in the work tree is another; all of them where git does not say."""
    there = repository.around(place)
    if there is None:
        return frozenset()
    names = {os.path.relpath(path, there.checkout).replace(os.sep, "/"): path for path in paths}
    unlike = git_kinds.unlike_staged(there, list(names))
    return frozenset(paths) if unlike is None else frozenset(names[name] for name in unlike if name in names)
