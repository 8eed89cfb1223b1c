"""What one command may change: the verb, the place, and the files by path, by pattern, or all of them. Pure.

``reaches`` asks whether a file is among them; ``takes`` whether work in progress there would be lost or moved away.
"""

from __future__ import annotations

import os

from comity.kernel.hints import Literal
from comity.kernel.named_tuple import NamedTuple
from comity.shell.pathspecs import among, fits

# ``write``: content is put there. ``replace``: git puts back what it has. ``branch``: HEAD moves, and git itself
# refuses where changes are in the way. ``stash``: entries of the stash go. ``refs``: branches or old commits go.
# ``push``: a remote branch loses commits.
How = Literal["write", "remove", "replace", "move", "branch", "index", "commit", "worktree", "stash", "refs", "push"]
# Of the index, which all agents of a checkout share: content is put there, is put back, or is recorded.
Staging = Literal["", "adds", "drops", "records"]
_OF_FILES = frozenset(("write", "remove", "replace", "move", "worktree"))


class Change(NamedTuple):
    """One change. ``place`` is an absolute folder; ``paths`` (literal; a folder means all below it) and ``patterns``
    count from it. Patterns of a ``git`` verb are pathspecs with their magic, counted from ``place``; those of other
    verbs, and of removed work trees, are a shell's, and absolute.

    ``whole``: everything below ``place``, which for git is the top of the work tree where the verb reaches all of that.
    ``below``: whether a folder that is named counts with what is in it; a redirection, for one, means files only.
    ``tracked``, ``untracked``, ``ignored``: which files it reaches, by what git knows of them. ``discards``:
    uncommitted content is lost, and no copy stays in git. ``keeps``: what was in the file stays, in part. ``names``:
    what else is named: stash entries (``*`` for all), commits and branches, a remote and what is pushed. ``spares``:
    patterns of what is left alone. ``staging``: what becomes of the index; ``records``: a commit of all that is in it,
    and not only of what is named. ``of_index``: one in place of the checkout's own. ``bypass``: the reason for which a
    person lets it through, empty when none is given, None when nobody does.
    """

    verb: str
    how: How
    place: str
    paths: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    whole: bool = False
    untracked: bool = True
    ignored: bool = True
    discards: bool = True
    tracked: bool = True
    keeps: bool = False
    below: bool = True
    names: tuple[str, ...] = ()
    spares: tuple[str, ...] = ()
    staging: Staging = ""
    of_index: str = ""
    title: str = ""
    bypass: str | None = None


class Effects(NamedTuple):
    """What a line may change, in order, and whether something unknown may write besides."""

    changes: tuple[Change, ...]
    unknown: bool


def takes(change: Change, path: str, *, tracked: bool, ignored: bool = False) -> bool:
    """Whether uncommitted work at the absolute ``path`` would be overwritten, removed, put back or moved away."""
    if change.how not in _OF_FILES and not (change.how == "branch" and change.discards):
        return False
    known = change.tracked if tracked else change.ignored if ignored else change.untracked
    return known and reaches(change, path)


def reaches(change: Change, path: str) -> bool:
    """Whether the file at the absolute ``path`` is among those that may change, whatever git knows of it."""
    place = change.place.rstrip("/")
    inside = path == place or path.startswith(place + "/")
    relative = path[len(place) + 1 :] if inside else os.path.relpath(path, place or "/")
    if any(_spared(spare, relative) for spare in change.spares):
        return False
    if change.whole and inside:
        return True
    for named in change.paths:
        above = os.path.normpath(os.path.join(place or "/", named))
        if path == above or (change.below and path.startswith(above.rstrip("/") + "/")):
            return True
    if not change.patterns:
        return False
    if change.verb.startswith("git ") and change.how != "worktree":
        return inside and among(change.patterns, relative)
    return any(fits(pattern, path, below=change.below) for pattern in change.patterns)


def _spared(spare: str, relative: str) -> bool:
    name = spare.strip("/").removesuffix("/**").removesuffix("/*")
    return name in relative.split("/") or among((f"**/{name}", name), relative)
