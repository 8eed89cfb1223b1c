"""Which files of a checkout differ from the last commit and were changed since some moment, by any program.

Most commands change nothing, and that is seen by hand: from the times of files in git's index, of the folders that they
lie in, and of what git did not know the last time it was asked (``Tree``). Otherwise git lists what differs, and
folders that it does not know as one entry each, so that a large tree of data costs little; such folders are then walked
by hand. A file's change time tells when it was changed, and no program sets that; for one that is gone, the time of its
folder tells.

What can go wrong: files that git does not know, that were there before and are written to again, are only seen while
there are few of them; and behind ``MOST_WALKED`` entries nothing is looked at.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module

from comity.kernel.hints import Literal
from comity.kernel.named_tuple import NamedTuple
from comity.system import git_index, repository
from comity.system.deadline import DEADLINE
from comity.system.repository import Repository

OURS = frozenset((".macp", ".masc"))  # folders that no agent works in
MOST = 2000  # files that are told
MOST_WALKED = 50_000  # entries of folders that git does not know
MOST_BY_HAND = 3000  # files in an index for which git is not asked first
_MOST_KNOWN = 500  # files that git does not know and that are looked at one by one, though their folder did not change
_DEEPEST = 3  # repositories inside repositories
_MOST_INNER = 20
_STATUS = ("status", "--porcelain=v1", "-z", "--no-renames", "--ignore-submodules=all", "--untracked-files=normal")
_BEFORE_NS = 20_000_000  # clocks of file systems go in steps


class ChangedFile(NamedTuple):
    """One file, absolute, and what git calls it."""

    path: str
    kind: Literal["tracked", "untracked"]


class Tree(NamedTuple):
    """What git did not know in a checkout, from its top: folders, files, and whether that is all there is."""

    folders: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    whole: bool = False


class ChangedFiles(NamedTuple):
    """What was changed, and the tree as it is now; None when git was not asked."""

    changed: list[ChangedFile]
    tree: Tree | None


def mark() -> int:
    """The present moment, as files will tell it that are changed from now on: nanoseconds since 1970."""
    return time.time_ns() - _BEFORE_NS


def tree_of(known: Mapping[str, object] | None) -> Tree | None:
    """The tree that was written down as an object; None for none."""
    if known is None:
        return None
    names = [tuple(map(str, listed)) if isinstance(listed := known.get(key), list) else () for key in Tree._fields[:2]]
    return Tree(names[0], names[1], known.get("whole") is True)


def changed_since(folder: str, mark_ns: int, known: Tree | None = None) -> ChangedFiles | None:
    """What differs in the checkout around ``folder`` and was changed since then; None when git does not say.

    ``known`` is the tree of the last look.
    """
    there = repository.around(folder)
    if there is None or there.bare:
        return ChangedFiles([], None)
    if known is not None and is_quiet(there, mark_ns, known):
        return ChangedFiles([], None)
    walk = _Walk(there.checkout, mark_ns, known or Tree())
    if not walk.into(there, 0):
        return None
    whole = walk.alone and walk.walked < MOST_WALKED
    return ChangedFiles(walk.found, Tree(tuple(walk.folders), tuple(walk.files), whole))


def is_quiet(there: Repository, mark_ns: int, known: Tree) -> bool:
    """Whether nothing was made, removed or written since, as far as that is seen by hand."""
    if not known.whole:
        return False
    names = git_index.files_of(there.private, MOST_BY_HAND)
    if names is None:
        return False
    folders = {""}
    for name in (*names, *known.files):
        seen = times_ns(os.path.join(there.checkout, name))
        if seen is not None and max(seen) >= mark_ns:
            return False
        folder = name.rpartition("/")[0]
        while folder not in folders:
            folders.add(folder)
            folder = folder.rpartition("/")[0]
    paths = (os.path.join(there.checkout, folder) for folder in folders.union(known.folders))
    return not any(seen is not None and seen[1] >= mark_ns for seen in map(times_ns, paths))


def times_ns(path: str) -> tuple[int, int] | None:
    """When what is at a path was changed, and written; None for nothing there: its folder tells of that."""
    try:
        seen = os.lstat(path)
    except OSError:
        return None
    return seen.st_ctime_ns, seen.st_mtime_ns


class _Walk:
    """Looks at a checkout and at those inside of it."""

    def __init__(self, top: str, mark_ns: int, known: Tree) -> None:
        self._top, self._mark_ns = top, mark_ns
        self._known = frozenset(known.folders) if known.whole else frozenset()
        self._inside: dict[str, list[str]] = {}
        for name in (*known.folders, *known.files):
            self._inside.setdefault(name.rpartition("/")[0], []).append(name)
        self.found: list[ChangedFile] = []
        self.folders: list[str] = []
        self.files: list[str] = []
        self.walked = 0
        self.alone = True  # no repository is inside
        self._inner = 0

    def into(self, there: Repository, depth: int) -> bool:
        """Add what was changed there; whether git told."""
        with import_module("comity.system.git_look").GitLook(there, compares=True) as look:
            text: str | None = look.ask(*_STATUS)
        if text is None:
            return False
        for field in text.split("\0"):
            if len(field) < 4 or DEADLINE.over or not OURS.isdisjoint(field[3:].split("/")[:-1]):
                continue
            path = os.path.join(there.checkout, field[3:])
            if field[:2] == "??" and path.endswith("/"):
                self._unknown(path.rstrip("/"), depth)
            else:
                self._add(path, "untracked" if field[:2] == "??" else "tracked")
        for inner in _submodules(there):
            self._repository(inner, depth)
        return True

    def _add(self, path: str, kind: Literal["tracked", "untracked"]) -> None:
        if kind == "untracked" and len(self.files) < _MOST_KNOWN:
            self.files.append(os.path.relpath(path, self._top))
        if len(self.found) < MOST and _since(path, self._mark_ns):
            self.found.append(ChangedFile(path, kind))

    def _repository(self, folder: str, depth: int) -> None:
        there = repository.around(folder)
        self.alone = False
        if there is not None and there.checkout == folder and depth < _DEEPEST and self._inner < _MOST_INNER:
            self._inner += 1
            self.into(there, depth + 1)

    def _unknown(self, folder: str, depth: int) -> None:
        """A folder that git does not know, or another repository."""
        todo = [folder]
        while todo and self.walked < MOST_WALKED:
            here = todo.pop()
            if os.path.basename(here) in OURS:
                continue
            if os.path.lexists(os.path.join(here, ".git")):
                self._repository(here, depth)
                continue
            name = os.path.relpath(here, self._top)
            self.folders.append(name)
            seen = times_ns(here)
            new = seen is not None and seen[1] >= self._mark_ns
            if name in self._known and not new:
                todo += self._as_before(name)
                continue
            for entry in _entries(here):
                self.walked += 1
                if entry.is_dir(follow_symlinks=False):
                    todo.append(entry.path)
                elif new or len(self.files) < _MOST_KNOWN:
                    self._add(entry.path, "untracked")

    def _as_before(self, name: str) -> list[str]:
        """The folders in one whose entries are those of the last look; its files are looked at."""
        inside = [(one in self._known, os.path.join(self._top, one)) for one in self._inside.get(name, ())]
        for path in (path for folder, path in inside if not folder):
            self._add(path, "untracked")
        return [path for folder, path in inside if folder]


def _entries(folder: str) -> Iterable[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []


def _since(path: str, mark_ns: int) -> bool:
    """Whether what is at a path, or is not there any more, was changed since."""
    try:
        seen = os.lstat(path)
    except FileNotFoundError:
        return next((info.st_mtime_ns >= mark_ns for info in _above(path)), False)
    except OSError:
        return False
    return not stat.S_ISDIR(seen.st_mode) and max(seen.st_ctime_ns, seen.st_mtime_ns) >= mark_ns


def _above(path: str) -> Iterator[os.stat_result]:
    """The folders above a path that are there, the nearest first."""
    for folder in repository.upward(os.path.dirname(path)):
        try:
            yield os.lstat(folder)
        except OSError:
            continue


def _submodules(there: Repository) -> list[str]:
    """Folders of submodules that are checked out."""
    try:
        listed = repository.parsed(os.fsdecode(repository.read(os.path.join(there.checkout, ".gitmodules"), 1_000_000)))
    except OSError:
        return []
    names = [text for key, text in listed.items() if key.startswith("submodule.") and key.endswith(".path")]
    known = git_index.listed(there.private, names) or set()
    return [os.path.join(there.checkout, name) for name in names if name in known and ".." not in name.split("/")]
