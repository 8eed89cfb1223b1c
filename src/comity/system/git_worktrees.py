"""The worktrees of a repository: which there are (read from the disk), and adding and removing one (by git).

``git worktree add`` that is killed leaves a half made one behind, locked as *initializing*; ``remove`` takes such a one
away, too. Branches are only ever made, never moved.
"""

from __future__ import annotations

import contextlib
import os
import shutil

from comity.kernel.named_tuple import NamedTuple
from comity.system import git_refs, repository
from comity.system.git_change import Changed, GitChange
from comity.system.repository import Repository

MOST = 1000
_MOST_BYTES = 4096
HALF_MADE = "initializing"  # why git itself locks a worktree that it makes


class Worktree(NamedTuple):
    """One checkout of a repository. ``branch`` is empty for a detached HEAD, ``commit`` for one without commits.

    ``locked``: why git keeps it, None where it does not. ``there``: its folder is where the repository says.
    """

    path: str
    private: str
    branch: str
    commit: str
    main: bool = False
    locked: str | None = None
    there: bool = True


def listed(there: Repository) -> list[Worktree]:
    """Every checkout of the repository, the main one first; no process is started."""
    found = []
    if os.path.basename(there.common) == ".git" and not there.bare:
        found.append(_one(os.path.dirname(there.common), there.common, there.common, main=True))
    folder = os.path.join(there.common, "worktrees")
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        names = []
    for name in names[:MOST]:
        private = os.path.join(folder, name)
        back = repository.pointer(os.path.join(private, "gitdir"), "", private)
        if back is not None:
            found.append(_one(os.path.dirname(back), private, there.common, main=False))
    return found


def _one(path: str, private: str, common: str, *, main: bool) -> Worktree:
    head = git_refs.head(Repository(path, private, common))
    name, commit = (head.branch, head.commit) if head is not None else ("", "")
    lock = os.path.join(private, "locked")
    locked = _text(lock) if os.path.lexists(lock) else None
    there = main or repository.git_folder(path, shared=False) == private
    return Worktree(path, private, name.removeprefix("refs/heads/"), commit, main, locked, there)


def _text(path: str) -> str:
    try:
        return os.fsdecode(repository.read(path, _MOST_BYTES)).strip()
    except OSError:
        return ""


def add(change: GitChange, path: str, branch: str, start: str | None) -> Changed:
    """Check ``branch`` out at ``path``: a new one that begins at the commit ``start``, or one that is there (None)."""
    new = ("--no-track", "-b", branch, "--", path, start) if start is not None else ("--", path, branch)
    return change.run("worktree", "add", *new)


def remove(change: GitChange, worktree: Worktree) -> Changed:
    """Take a worktree away with all that is in it, also a half made or a locked one."""
    return change.run("worktree", "remove", "--force", "--force", "--", worktree.path)


def take_away(change: GitChange, worktree: Worktree) -> None:
    """Take away what is left of a worktree, also where git does not take it for one any more. Nothing in it may be
    anybody's work.
    """
    if not remove(change, worktree).done:
        if os.path.dirname(worktree.private) == os.path.join(change.there.common, "worktrees"):
            shutil.rmtree(worktree.private, ignore_errors=True)
        if not os.path.islink(worktree.path):
            shutil.rmtree(worktree.path, ignore_errors=True)
    forget_nameless(change.there, worktree.path)


def forget_nameless(there: Repository, path: str) -> None:
    """Take away git's folder of a worktree at ``path`` that does not say yet, or any more, where that is."""
    folder, own = os.path.join(there.common, "worktrees"), os.path.basename(path)
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            is_its = name == own or (name.startswith(own) and name[len(own) :].isdigit())
            private = os.path.join(folder, name)
            if is_its and not os.path.lexists(os.path.join(private, "gitdir")):
                shutil.rmtree(private, ignore_errors=True)


def delete_branch(change: GitChange, branch: str, commit: str) -> Changed:
    """Delete a branch, unless it has moved from ``commit`` meanwhile."""
    return change.run("update-ref", "-d", f"refs/heads/{branch}", commit)


def at(there: Repository, path: str) -> Worktree:
    """The worktree at a path; one that is gone, if it is none."""
    found = next((one for one in listed(there) if one.path == path), None)
    return found or Worktree(path, "", "", "", there=False)
