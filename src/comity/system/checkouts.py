"""Names of checkouts: one checkout has one name for every process, whatever path leads it there.

A checkout is a folder with a device and an inode; renamed, bind-mounted or seen from inside a container it is still
that folder, while a copy is another one. Its name is the path under which it was first known. ``remember`` notes that
in the git folder that all worktrees of a repository share, or in ``.macp`` where there is no git: a line for each path
under which one was seen. Without a note (a
read-only disk, a checkout that nobody moved) the name is the path, as older versions of Comity wrote it.

Device numbers may change when the machine starts anew, inodes do not: so a device counts within one boot. The inode of
a worktree that was removed may soon be another one's: so the time at which git made a linked worktree counts, too. What
a copy has of its original's notes means nothing there, since its folder has another inode.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from comity.kernel.named_tuple import NamedTuple
from comity.system import files, repository
from comity.system.inside import within

_WORKSPACE = ".macp"
_BOOT = "/proc/sys/kernel/random/boot_id"
_MAX_BYTES, _FULL_BYTES = 200_000, 30_000
_MOST_NAMES = 512  # remembered by a process

_NAMES: dict[str, str] = {}  # by folder, as this process has asked
_PATHS: dict[str, list[str]] = {}  # every path of a checkout that has several, by each of them; the nearest last


class _Folder(NamedTuple):
    """What tells a checkout from every other one. ``made``: when git made it, if it is a linked worktree."""

    device: str
    inode: str
    made: str


class _Note(NamedTuple):
    """One line: this checkout was seen at ``path`` in this boot; ``name`` is its name."""

    device: str
    inode: str
    made: str
    boot: str
    name: str
    path: str

    @property
    def folder(self) -> _Folder:
        """Which checkout it is about."""
        return _Folder(self.device, self.inode, self.made)


def name_of(folder: str) -> str:
    """The name of a folder in a checkout: its path under the checkout's name; its own path when nothing else is known.

    Whoever asks twice is answered the same: a process keeps what it read.
    """
    known = _NAMES.get(folder)
    if known is not None or not folder:
        return known or folder
    top = _top(folder)
    there = _look(top)
    if there is None:
        return folder
    notes = _read(top)
    name = _found(notes, there) or _fresh(notes, there, top)
    _learn(notes, name, top)
    inside = os.path.relpath(os.path.realpath(folder), top)
    if len(_NAMES) >= _MOST_NAMES:
        _NAMES.clear()
    _NAMES[folder] = folder if name == top else os.path.normpath(os.path.join(name, inside))
    return _NAMES[folder]


def remember(folders: Iterable[str]) -> None:
    """Note under which paths these checkouts are known. What cannot be written is not remembered."""
    for folder in filter(None, folders):
        top = _top(folder)
        there = _look(top)
        notes = _read(top)
        if there is None or any(one.folder == there and one.path == top for one in notes):
            continue
        name = _found(notes, there) or _fresh(notes, there, top)
        _write(top, notes, _Note(*there, _boot(), name, top))
        _NAMES.pop(folder, None)  # somebody else may have been faster


def here(path: str) -> str:
    """An absolute path, or the name of something, as it is for this process, links resolved.

    A checkout that is known under several paths is looked for at each of them.
    """
    return os.path.realpath(translated(path))


def translated(path: str) -> str:
    """A path into a checkout that is known under several paths, by the one that leads there for this process."""
    around = [known for known, paths in _PATHS.items() if paths and within(path, known)]
    if not around:
        return path
    known = max(around, key=len)
    return _PATHS[known][-1] + path[len(known) :]


def _learn(notes: list[_Note], name: str, top: str) -> None:
    """Take in which checkouts have several paths, and which of those lead there now."""
    known: dict[str, dict[str, None]] = {name: {name: None, top: None}}
    for one in notes:
        known.setdefault(one.name, {one.name: None})[one.path] = None
    for group, paths in known.items():
        if len(paths) > 1:
            lead = [path for path in paths if path != top and _leads(notes, path, group)]
            _PATHS.update(dict.fromkeys(paths, [*lead, top] if group == name else lead))


def _leads(notes: list[_Note], path: str, name: str) -> bool:
    there = _look(path)
    return there is not None and _found(notes, there) == name


def _found(notes: list[_Note], there: _Folder) -> str | None:
    """The name that is noted for a checkout; None for none."""
    newest = None
    for one in notes:
        if one.folder == there:
            return one.name
        if (one.inode, one.made) == (there.inode, there.made):
            newest = one
    return newest.name if newest is not None and newest.boot and newest.boot != _boot() else None


def _fresh(notes: list[_Note], there: _Folder, top: str) -> str:
    """A name for a checkout that has none: its path, unless one that was moved away from there has that."""
    taken = any(one.name == top and one.path != top and one.folder == _look(one.path) for one in notes)
    return f"{top}#{there.inode}" if taken else top


def _top(folder: str) -> str:
    """The checkout's folder, or the bare repository; the folder itself where there is no git but the user's home's."""
    real = os.path.realpath(folder)
    found = repository.top_among(repository.upward(real))
    if found is None or (found[0] != real and found[0] == os.path.realpath(os.path.expanduser("~"))):
        return real
    return found[0]


def _notes_at(top: str) -> str | None:
    """The folder in which notes about this checkout lie."""
    git = repository.git_folder(top) or (top if repository.is_git_folder(top) else None)
    if git is not None:
        return git
    workspace = os.path.join(top, _WORKSPACE)
    return workspace if files.kind_of(workspace) == "folder" else None


def _read(top: str) -> list[_Note]:
    place = _notes_at(top)
    if place is None:
        return []
    try:
        text = files.read(place, repository.CHECKOUTS, _MAX_BYTES).decode("utf-8", "surrogateescape")
    except OSError:
        return []
    rows = [line.split("\t") for line in text.split("\n")]
    return [_Note._make(row) for row in rows if len(row) == len(_Note._fields)]


def _write(top: str, notes: list[_Note], note: _Note) -> None:
    """Append a line: of two processes that do so at once, the first one's name counts."""
    place = _notes_at(top)
    if place is None or any("\t" in part or "\n" in part for part in note):
        return
    lines = [note]
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    if sum(len(part) + 1 for one in notes for part in one) > _FULL_BYTES:  # most are of worktrees that are gone
        lines = [*(one for one in notes if one.folder == _look(one.path)), note]
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        descriptor = files.open_file(place, repository.CHECKOUTS, flags)
        try:
            data = "".join("\t".join(one) + "\n" for one in lines)
            files.write_all(descriptor, data.encode("utf-8", "surrogateescape"))
        finally:
            os.close(descriptor)
    except OSError:
        return


def _look(top: str) -> _Folder | None:
    """Which checkout there is at a path; None for no folder."""
    try:
        info = os.stat(top)
    except (OSError, ValueError):
        return None
    return _Folder(str(info.st_dev), str(info.st_ino), _made(top))


def _made(top: str) -> str:
    """When git made a linked worktree; empty for any other checkout."""
    git = os.path.join(top, ".git")
    private = repository.pointer(git, "gitdir:", top) if os.path.isfile(git) else None
    try:
        return "" if private is None else str(os.stat(os.path.join(private, "commondir")).st_mtime_ns)
    except OSError:
        return ""


def _boot() -> str:
    """Which run of the machine this is; empty where that is not told."""
    try:
        return os.fsdecode(repository.read(_BOOT, 200)).strip()
    except OSError:
        return ""
