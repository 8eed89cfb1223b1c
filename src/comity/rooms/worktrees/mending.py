"""Ending what a killed process left of the making or the removing of a worktree.

Nothing that may hold work is taken away: a half made checkout is git's own bytes; what is removed by halves was in
commits, or kept, before its removal began; and a branch goes only if it stands where it began.
"""

from __future__ import annotations

import contextlib
import os

from comity.kernel.quoting import quoted
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.tasks import links
from comity.rooms.worktrees import brought, furnishing, holding, rows, survey
from comity.rooms.worktrees.bases import HEADS
from comity.rooms.worktrees.rows import Made
from comity.system import git, git_locks, git_refs, git_worktrees, repository
from comity.system.git_change import GitChange
from comity.system.git_worktrees import HALF_MADE
from comity.system.held_file import HeldFile
from comity.system.repository import Repository

_WAIT_S = 20.0


def mend(steps: Steps) -> list[str]:
    """End every interrupted one; what was done, a line for each."""
    told = []
    for one in steps.read(rows.interrupted):
        own = steps.read(rows.is_own, one.process)
        with holding.of(steps.actor, one.name) as held:
            taken = held.take(0 if own else _WAIT_S)
            if own and not (taken and held.kept):
                continue  # another thread is at it
            if not taken:
                told.append(f"{quoted(one.name)}: the git of a killed process is still at it.")
                continue
            made = steps.read(_still, one.name)
            if made is not None:
                told.append(f"{quoted(made.name)}: {_end(steps, made, held)}")
    return told


def _end(steps: Steps, made: Made, held: HeldFile) -> str:
    clone = made.clone and os.path.join(steps.actor.root, made.clone)
    there = repository.around(clone) if clone else survey.main_repository(steps.actor)
    if there is None:
        steps.write(rows.drop, made.name)
        return "its clone is gone."
    change = GitChange(there, keeps=held.kept)
    path = made.path(steps.actor.root)
    git_locks.clear(git_locks.of_branch(there, made.branch))
    known = next((one for one in git_worktrees.listed(there) if one.path == path), None)
    if known is None or not known.there or known.locked == HALF_MADE:
        undo(steps, change, made)
        return "what was half made of it is gone."
    if made.state == rows.REMOVING:
        return _remove_on(steps, change, made, known)
    found = furnishing.furnish(steps.actor, there, path)
    steps.write(rows.there, made, found.brought)
    return "it is whole, and goes on."


def _remove_on(steps: Steps, change: GitChange, made: Made, known: git_worktrees.Worktree) -> str:
    """End a removal that was begun; where work is in it by now, it stays, and what was gone already comes back."""
    git_locks.clear(git_locks.of_checkout(known.private))
    found = git.changed(known.path)
    names = None if found is None else [name for name in (*found.tracked, *found.untracked) if os.path.lexists(name)]
    if names is None or brought.without(known.path, names, made.brought):
        put_back(change, known)
        steps.write(rows.move, made.name, rows.THERE)
        return "its removal was interrupted, and there is work in it: it stays, and goes on."
    git_worktrees.take_away(change, known)
    _forget_branch(steps, change, made)
    return "its removal is ended."


def put_back(change: GitChange, known: git_worktrees.Worktree) -> None:
    """Check out again what is missing of a worktree; nothing that is there is touched."""
    if known.there:
        GitChange(Repository(known.path, known.private, change.there.common)).run("checkout-index", "--quiet", "--all")


def undo(steps: Steps, change: GitChange, made: Made) -> None:
    """Take away what a failed making left: a folder that git was still filling, an empty one, a branch that is new."""
    path = made.path(steps.actor.root)
    known = next((one for one in git_worktrees.listed(change.there) if one.path == path), None)
    if made.state == rows.REMOVING or (known is not None and (known.locked == HALF_MADE or not known.there)):
        git_worktrees.take_away(change, known or git_worktrees.at(change.there, path))
    elif known is None:
        git_worktrees.forget_nameless(change.there, path)
    with contextlib.suppress(OSError):  # not there, or somebody's
        os.rmdir(path)
    _forget_branch(steps, change, made)


def _forget_branch(steps: Steps, change: GitChange, made: Made) -> None:
    """Delete a branch that stands where it began, and forget a worktree that is gone."""
    commit = git_refs.find(change.there, f"{HEADS}{made.branch}")
    if made.began and commit == made.began:
        git_worktrees.delete_branch(change, made.branch, commit)
    if not os.path.lexists(made.path(steps.actor.root)):
        steps.write(_forget, made)


def _still(scope: Scope, name: str) -> Made | None:
    return next((one for one in rows.interrupted(scope) if one.name == name), None)


def _forget(scope: Scope, made: Made) -> None:
    rows.drop(scope, made.name)
    links.set_worktree(scope, made.task_id, None)
