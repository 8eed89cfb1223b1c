"""Checks of the workspace's folder: what lies in it that Comity does not open, and whether git leaves it alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from comity.doors.cli.findings import Finding, fail, ok, warn
from comity.hosts import hook_log
from comity.ignored import SERVER_FOLDER, SHARED, is_kept_out
from comity.kernel.problem import Problem
from comity.opening import Memory, require_own_way
from comity.project import FOLDER, tracked
from comity.settings import Settings

_MOST_ENTRIES, _MOST_DEPTH, _MOST_TOLD = 2000, 4, 20
_DATABASE_SUFFIXES = (
    "",
    "-wal",
    "-shm",
    "-journal",
    ".hooks.log",
    ".hooks.log.1",
    ".hooks.log.lost",
    ".bell",
    ".capture",
)


def folder(settings: Settings) -> Iterator[Finding]:
    """Everything about it."""
    found = list(_unsafe(settings))
    yield from found[:_MOST_TOLD]
    if len(found) > _MOST_TOLD:
        yield warn("Folder", f"and {len(found) - _MOST_TOLD} more such files", "Remove them.")
    yield from _tracked(settings)
    yield from _kept_out(settings)
    yield from _replaced(settings)
    if lost := hook_log.lost(settings.db):
        yield warn(
            "Hooks log", f"{lost} lines could not be written", "The disk was full or not writable; see Free space."
        )


def _unsafe(settings: Settings) -> Iterator[Finding]:
    """Links, pipes, others' files: nothing of Comity is read or written there."""
    try:
        require_own_way(settings)
    except Problem as problem:
        yield fail("Folder", problem.message, problem.hint)
        return
    if os.path.lexists(settings.root + f"/{SERVER_FOLDER}") and not _is_folder(f"{settings.root}/{SERVER_FOLDER}"):
        yield fail("Folder", f"{SERVER_FOLDER} is no folder of its own", "Put a folder in its place.")
        return
    database_files = [settings.db + ending for ending in _DATABASE_SUFFIXES]
    places = (os.path.join(settings.root, name) for name in (FOLDER, SERVER_FOLDER))
    every = dict.fromkeys([*database_files, *(path for place in places for path in _below(place))])
    for path in list(every)[:_MOST_ENTRIES]:
        why = _why(path)
        if why:
            name = os.path.relpath(path, settings.root)
            shown = name if not name.startswith(os.pardir) else path
            yield warn(
                "Folder", f"{_plain(shown)} {why}: Comity does not open it", "Remove it, unless you put it there."
            )


def _below(place: str) -> Iterator[str]:
    """Every path below a folder, no link followed, up to some depth."""
    places = [(place, 0)]
    while places:
        here, depth = places.pop()
        try:
            names = sorted(os.listdir(here)) if _is_folder(here) else []
        except OSError:
            continue
        for name in names[:_MOST_ENTRIES]:
            path = os.path.join(here, name)
            yield path
            if depth < _MOST_DEPTH and _is_folder(path):
                places.append((path, depth + 1))


def _why(path: str) -> str:
    try:
        info = os.lstat(path)
    except OSError:
        return ""
    if stat.S_ISLNK(info.st_mode):
        return "is a link"
    if stat.S_ISDIR(info.st_mode):
        return ""
    if not stat.S_ISREG(info.st_mode):
        return "is no regular file"
    if info.st_nlink > 1:
        return "has a second name (a hard link)"
    if os.name == "posix" and os.geteuid() not in (0, info.st_uid):
        return "belongs to another user"
    return ""


def _is_folder(path: str) -> bool:
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def _tracked(settings: Settings) -> Iterator[Finding]:
    """Files of ours that git tracks: they came with the repository, and a change of branch replaces them."""
    root = settings.root
    names = [
        os.path.relpath(path, root) for place in (FOLDER, SERVER_FOLDER) for path in _below(os.path.join(root, place))
    ]
    shared = {os.path.join(FOLDER, name) for name in SHARED}
    found = sorted(tracked(root, [name for name in names[:_MOST_ENTRIES] if name not in shared]))
    if found:
        told = ", ".join(_plain(name) for name in found[:5]) + (f" and {len(found) - 5} more" if len(found) > 5 else "")
        hint = f"Take them out of git: git rm -r -q --cached -- {FOLDER} && git add {FOLDER}/.gitignore; commit that."
        yield fail("Git", f"git tracks {told}", hint)


def _kept_out(settings: Settings) -> Iterator[Finding]:
    if is_kept_out(settings.root):
        yield ok("Ignored", f"git leaves {FOLDER} and {SERVER_FOLDER} alone")
    else:
        hint = "It is written when an agent starts; if not, is info/exclude in the git folder a plain file of yours?"
        yield warn("Ignored", f"info/exclude does not name {FOLDER}: git could take the database into a commit", hint)


def _replaced(settings: Settings) -> Iterator[Finding]:
    if told := Memory(settings).told:
        yield warn("Replaced", told.rstrip("."), "`comity init` takes what is there now as the project's database.")


def _plain(name: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in name)[:200]
