"""What a command may take away, looked up between transactions: which files, entries, commits and folders it reaches.

Uncommitted work is known by name, so git lists everything that has changed only where somebody holds files by a claim.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from importlib import import_module

from comity.kernel.hints import Any, Literal
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.rooms.agents import presence
from comity.rooms.claims.overlaps import Held
from comity.rooms.claims.paths import Base
from comity.rooms.claims.places import Places
from comity.rooms.edits import progress, verification
from comity.rooms.edits.edit_guard import is_bridging
from comity.rooms.edits.line_changes import git_settings
from comity.rooms.edits.model import EDIT_TAKES_MS
from comity.rooms.edits.sight import Near, Others, SeenWork, Sight, path_of
from comity.rooms.turns import speaker
from comity.rooms.work.facts import Asked, Work
from comity.shell.changes import Change, reaches, takes
from comity.system import git_head_log, git_index, git_refs, repository
from comity.system.changed_files import MOST_BY_HAND
from comity.system.checkouts import here
from comity.system.inside import within

_MOST_CLAIMS = 2000
_MOST_ENTRIES = 200
_STASHING = {"git merge": ("merge.autostash",), "git pull": ("merge.autostash", "rebase.autostash")}
_ENTERING = ("git submodule", "git worktree", "git rm", "git mv")
_DEEPER = r"--recurse-submodules|clean .*-\w*f\w*f|clean .*-f\b.* -f\b"


class Folder(NamedTuple):
    """The folder that an agent works in, links resolved."""

    agent_id: str
    agent_name: str
    path: str


class Entry(NamedTuple):
    """A stash entry."""

    name: str
    made_ms: int


class Survey(NamedTuple):
    """What others have at stake anywhere in the project, as it was read."""

    near: Near
    others: Others
    claimed: tuple[tuple[str, str], ...]  # repository and worktree of checkouts in which they hold files by claims
    folders: tuple[Folder, ...]
    read_ms: int


class Stake(NamedTuple):
    """What one change may take away: files with work in them, by who lives and by who is gone; requests; changed files
    by checkout where something is claimed; stash entries with their files; remote commits; folders.

    ``taken``: work of others would be committed, or what they have staged would go; none of it leaves their files.
    ``sweeps`` is the checkout that is changed as a whole, ``saves``: a stash is made. ``unknown``: git did not say in
    time what has changed; the files claimed are then what the command is limited to.
    """

    change: Change
    works: tuple[Work, ...] = ()
    left: tuple[Work, ...] = ()
    pending: tuple[Asked, ...] = ()
    claimed: tuple[tuple[Base, tuple[str, ...]], ...] = ()
    entries: tuple[tuple[Entry, tuple[str, ...]], ...] = ()
    commits: tuple[str, ...] = ()
    folders: tuple[Folder, ...] = ()
    sweeps: Base | None = None
    saves: bool = False
    unknown: bool = False
    taken: Literal["", "committed", "staged"] = ""


def survey(scope: Scope) -> Survey:
    """What others have at stake."""
    scope = speaker.seen(scope)
    near = progress.all_near(scope)
    mine = near.kin
    rows = scope.tx.all("claims.active", second=scope.now.second, agent_id=None, limit=_MOST_CLAIMS)
    held = [
        one for one in map(Held.read, rows) if one.mode == "exclusive" and one.agent_id not in mine and not one.resource
    ]
    claimed = {(one.repository or "", one.worktree or ""): None for one in held if not is_bridging(one)}
    names = {str(row[0]): str(row[1] or row[0]) for row in scope.tx.all("edits.names")}
    folders = [
        Folder(one.agent_id, names.get(one.agent_id, one.agent_id), here(one.worktree))
        for one, _ in presence.verdicts(scope)
        if one.worktree and "\0" not in one.worktree and one.agent_id not in mine
    ]
    return Survey(near, progress.others(scope, near), tuple(claimed), tuple(folders), scope.now.ms)


def with_landed(survey: Survey) -> tuple[Survey, Sight]:
    """The survey with edits that were let through and have been made since; and what was seen of those."""
    sight = verification.looked((), survey.near.asked)
    if not sight.came:
        return survey, sight
    others = survey.others
    made = {one.asked.place: verification.as_work(one) for one in sight.came}
    works = [made[one.asked.place] for one in sight.came if not one.over]
    living = [work for work in works if others.owner.get(work.agent_id) is not None and not work.let_go]
    left = [work for work in works if work not in living]
    pending = tuple(one for one in others.pending if one.place not in made)
    return survey._replace(
        others=others._replace(living=(*others.living, *living), left=(*others.left, *left), pending=pending)
    ), sight


class StakeSearch:
    """The looks of one question, each taken once."""

    def __init__(self, own: Base, survey: Survey, now_ms: int) -> None:
        self._own, self._survey, self._now_ms = own, survey, now_ms
        self._places = Places(own)
        self._tops: dict[str, str] = {}
        self._seen: dict[Work, SeenWork] = {}
        self._changed: dict[tuple[str, bool, bool], Any] = {}

    def again(self, survey: Survey) -> StakeSearch:
        """The same question of another survey; what git has listed stays."""
        other = StakeSearch(self._own, survey, self._now_ms)
        other._changed = self._changed
        return other

    @property
    def sight(self) -> Sight:
        """What was seen of files that somebody has changed."""
        return Sight(tuple(self._seen.values()), ())

    def stakes(self, changes: Sequence[Change]) -> list[Stake]:
        """What each of them may take away; those that take nothing are left out, unless they sweep."""
        others = self._survey.others
        known = (*others.living, *others.left)
        changes = [_as_set(change) if others.living else change for change in changes]
        near = [work for work in known if any(_may_take(one, work) and self.enters(one, work) for one in changes)]
        self.kinds(near)
        found = [self._stake(one) for one in changes if not of_index(one)]
        return [stake for stake in found if stake != Stake(stake.change)]

    def kinds(self, works: Iterable[Work]) -> dict[Work, str]:
        """What git calls the file of each now: empty where it is as the last commit has it."""
        works = list(works)
        new = [work for work in works if work not in self._seen]
        self._seen |= {seen.work: seen for seen in verification.checked(new)}
        return {work: self._seen[work].kind for work in works}

    @property
    def living(self) -> tuple[Work, ...]:
        """Work of peers who live."""
        return self._survey.others.living

    def held(self, place: str) -> list[Base]:
        """Checkouts around a folder in which peers hold files by claims."""
        bases = (
            Base(repository_, worktree, here(worktree or repository_), self._own.fold)
            for repository_, worktree in self._survey.claimed
        )
        return [base for base in bases if self.top(base.folder) == self.top(place) != ""]

    def _stake(self, change: Change) -> Stake:
        if change.how == "stash":
            return Stake(change, entries=self._entries(change))
        if change.how == "push":
            return Stake(change, commits=tuple(_git().overwritten_commits(change.place, change.names) or ()))
        others = self._survey.others
        deliberate = {os.path.normpath(os.path.join(change.place, path)) for path in change.paths}
        left = [work for work in self._lost(change, others.left) if path_of(work) not in deliberate]
        claimed, unknown = self._claimed(change)
        return Stake(
            change,
            works=(*self._lost(change, others.living), *self._replaced(change, others.living)),
            left=tuple(left),
            pending=tuple(self._pending(change, others.pending)),
            claimed=claimed,
            folders=tuple(self._folders(change)),
            sweeps=self._swept(change),
            saves=change.verb == "git stash" and change.how == "replace",
            unknown=unknown,
        )

    def _swept(self, change: Change) -> Base | None:
        """The checkout that the change sweeps: git as a whole, other programs where they reach many of its files."""
        if _sweeps(change):
            return self._places.at(change.place)
        if change.how not in ("remove", "move") or change.verb.startswith("git "):
            return None
        named = [os.path.join(change.place, path) for path in change.paths]
        folders = [path for path in named if os.path.isdir(path) and not os.path.islink(path)]
        if not (change.whole or change.patterns or folders):
            return None
        base = self._places.at(os.path.realpath((folders or [change.place])[0]))
        there = repository.around(base.folder) if base is not None and base.folder else None
        names = git_index.files_of(there.private, MOST_BY_HAND) if there is not None and not there.bare else None
        found = there is not None and any(reaches(change, os.path.join(there.checkout, name)) for name in names or ())
        return base if found else None

    def unowned(self, changes: Sequence[Change]) -> list[str]:
        """Changed files that one of them throws away, and that nobody is known to have changed: a person may have."""
        known = {path_of(work) for work in (*self._survey.others.living, *self._survey.others.left)}
        found: dict[str, None] = {}
        for change in changes:
            if change.how not in ("remove", "replace", "worktree") or not _reaches_many(change):
                continue
            listed = self.listed(change.place, change) if os.path.isdir(change.place) else None
            groups = ((listed.tracked, "tracked"), (listed.untracked, "untracked")) if listed is not None else ()
            found |= {path: None for group, kind in groups for path in group if _takes(change, path, kind)}
        return [path for path in found if path not in known]

    def enters(self, change: Change, work: Work) -> bool:
        """Whether the command gets to the file: git leaves repositories inside of a checkout alone, unless told to."""
        if not change.verb.startswith("git ") or change.verb in _ENTERING or re.search(_DEEPER, change.title):
            return True
        return self.top(change.place) == self.top(os.path.dirname(path_of(work)))

    def top(self, folder: str) -> str:
        """The top of the work tree around a folder; empty when there is none."""
        if folder not in self._tops:
            there = repository.around(folder)
            self._tops[folder] = "" if there is None else there.checkout
        return self._tops[folder]

    def _lost(self, change: Change, works: Iterable[Work]) -> list[Work]:
        found = []
        for work in works:
            seen = self._seen.get(work)
            if seen is None or not seen.kind or not self.enters(change, work):
                continue
            if _takes(change, path_of(work), seen.kind):
                found.append(work)
        return found

    def _replaced(self, change: Change, works: Iterable[Work]) -> list[Work]:
        """Files that are not in the index, in whose place the commit that HEAD moves to puts its own: git does that to
        ignored ones without a word.
        """
        if change.how != "branch" or not (change.ignored and change.names):
            return []
        there = repository.around(change.place)
        inside = {path_of(work): work for work in works if there is not None and self.enters(change, work)}
        names = {os.path.relpath(path, change.place).replace(os.sep, "/"): path for path in inside}
        known = git_index.listed(there.private, names) if there is not None and names else None
        new = [path for name, path in names.items() if known is not None and name not in known]
        if there is None or not new:
            return []
        commits = [git_head_log.previous(there) if name == "-" else name for name in change.names]
        found = {path for commit in commits if commit for path in _git().brought(change.place, commit, new)}
        return [inside[path] for path in new if path in found]

    def _pending(self, change: Change, pending: Iterable[Asked]) -> list[Asked]:
        """Edits that were let through just now and have not been made: git would take them away as well."""
        young = [one for one in pending if self._now_ms - one.asked_ms < EDIT_TAKES_MS]
        return [one for one in young if _sweeps(change) and _takes(change, path_of(one), "unknown")]

    def _claimed(self, change: Change) -> tuple[tuple[tuple[Base, tuple[str, ...]], ...], bool]:
        """Changed files that it reaches, in checkouts where something is claimed."""
        found, unknown = [], False
        for repository_, worktree in self._survey.claimed if _reaches_many(change) else ():
            folder = here(worktree or repository_)
            base = Base(repository_, worktree, folder, self._own.fold)
            if not (within(folder, change.place) or within(change.place, folder) or change.paths):
                continue
            listed = self.listed(folder, change)
            if listed is None:
                unknown = True
                found.append((base, self._limits(base, change)))
                continue
            groups = ((listed.tracked, "tracked"), (listed.untracked, "untracked"), (listed.ignored, "ignored"))
            paths = [path for group, kind in groups for path in group if _takes(change, path, kind)]
            inside = [os.path.relpath(path, folder) for path in paths if within(path, folder)]
            if inside:
                found.append((base, tuple(inside)))
        return tuple(found), unknown

    def _limits(self, base: Base, change: Change) -> tuple[str, ...]:
        """What a command is limited to whose files nobody could list; ``.`` for everything."""
        named = [os.path.normpath(os.path.join(change.place, path)) for path in change.paths]
        limits = named if named and not (change.whole or change.patterns) else [change.place]
        inside = [os.path.relpath(path, base.folder) for path in limits if within(path, base.folder)]
        return tuple(inside) if inside and len(inside) == len(limits) else (".",)

    def listed(self, folder: str, change: Change) -> Any:
        """Everything that has changed in a work tree, as far as a change reaches such files; None for no answer."""
        key = (folder, change.untracked, change.ignored and change.untracked)
        if key not in self._changed:
            self._changed[key] = _git().changed(folder, untracked=key[1], ignored=key[2])
        return self._changed[key]

    def _entries(self, change: Change) -> tuple[tuple[Entry, tuple[str, ...]], ...]:
        known = [Entry(*entry) for entry in _git().stashes(change.place)]
        if "*" not in change.names:
            wanted = change.names[0] if change.names else "stash@{0}"
            wanted = f"stash@{{{wanted}}}" if wanted.isdigit() else wanted
            known = [entry for entry in known if entry.name == wanted]
        return tuple((one, tuple(_git().stashed_files(change.place, one.name) or ())) for one in known[:_MOST_ENTRIES])

    def _folders(self, change: Change) -> list[Folder]:
        if change.how == "refs":
            branches = {f"refs/heads/{name}" for name in change.names}
            return [one for one in self._survey.folders if branches and _branch(one.path) in branches]
        if change.how not in ("remove", "move", "worktree"):
            return []
        if change.verb.startswith("git ") and change.how != "worktree":
            return []  # it changes what is inside
        return [one for one in self._survey.folders if reaches(change, one.path)]


def _as_set(change: Change) -> Change:
    """A merge as git is set to make it: it may stash what has changed, and put that back as far as it goes."""
    if change.how != "branch" or change.verb not in _STASHING:
        return change
    known = git_settings(change.place)
    stashes = any(repository.is_yes(known.get(key, "")) for key in _STASHING[change.verb])
    return change._replace(how="replace", discards=False) if stashes else change


def of_index(change: Change) -> bool:
    """Whether it changes an index or records one, and no file: see ``index_stakes``."""
    return change.how in ("index", "commit")


def _git() -> Any:
    """What git says is loaded only where it is asked."""
    return import_module("comity.system.git")


def _branch(folder: str) -> str:
    there = repository.around(folder)
    head = git_refs.head(there) if there is not None else None
    return head.branch if head is not None else ""


def _may_take(change: Change, work: Work) -> bool:
    path = path_of(work)
    return _takes(change, path, work.kind or "unknown") or _takes(change, path, "unknown")


def _takes(change: Change, path: str, kind: str) -> bool:
    if kind == "unknown":
        return any(
            takes(change, path, tracked=known, ignored=hidden)
            for known, hidden in ((True, False), (False, False), (False, True))
        )
    return takes(change, path, tracked=kind == "tracked", ignored=kind == "ignored")


def _reaches_many(change: Change) -> bool:
    """Whether it reaches more than the files that it names."""
    return bool(change.whole or change.patterns) or change.how == "worktree" or change.verb.startswith("git ")


def _sweeps(change: Change) -> bool:
    """Whether git changes a work tree as a whole."""
    return change.verb.startswith("git ") and change.how in ("replace", "branch", "remove") and _reaches_many(change)
