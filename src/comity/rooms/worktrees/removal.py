"""Taking a worktree away without losing work.

Work is what is in no commit, and commits that no branch has. It goes only when that is forced, with a reason, and only
after a copy of each file is kept (`rescue.list`). A branch goes with its worktree where its base has all its commits.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from comity.kernel.event import Event
from comity.kernel.problem import Conflict, Invalid, NotFound, Unavailable
from comity.kernel.quoting import called, quoted
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.agents import identity
from comity.rooms.claims import paths
from comity.rooms.rescue import keeping, versions
from comity.rooms.rescue.keeping import Saved
from comity.rooms.tasks import links
from comity.rooms.work.facts import FilePlace
from comity.rooms.worktrees import brought, holding, mending, rows, survey
from comity.rooms.worktrees.bases import HEADS
from comity.rooms.worktrees.model import RemovedWorktree, Worktree
from comity.rooms.worktrees.rows import Made
from comity.system import git, git_refs, git_worktrees
from comity.system.git_change import GitChange
from comity.system.repository import Repository

_MOST_NAMED = 5


def remove(steps: Steps, name: str, *, force: bool, reason: str) -> RemovedWorktree:
    """Take it away. Raises NotFound ``worktree.unknown``, Conflict ``worktree.*``, Invalid ``worktree.reason``."""
    if force and not reason.strip():
        raise Invalid("worktree.reason", "Work is only thrown away with a reason.", "Say why, in `reason`.")
    mending.mend(steps)
    told = steps.read(survey.known)
    there, place, made = _find(steps, name, told)
    if place is None:
        assert made is not None, "one of both is known"
        steps.write(_gone, made, "", 0)
        return RemovedWorktree(made.name, made.path(steps.actor.root), made.branch, False, 0, ["It was gone already."])
    _require_free(steps, place, made, told)
    with holding.of(steps.actor, place.name) as held:
        holding.require(held, place.name)
        return _take_away(steps, GitChange(there, keeps=held.kept), place, made, force=force, reason=reason)


def _take_away(
    steps: Steps, change: GitChange, place: Worktree, made: Made | None, *, force: bool, reason: str
) -> RemovedWorktree:
    there = change.there
    saved = _keep(steps, place, made.brought if made is not None else {}, force=force)
    steps.write(_begin, place, made, saved)
    done = git_worktrees.remove(change, git_worktrees.at(there, place.path))
    if not done.done:
        mending.put_back(change, git_worktrees.at(there, place.path))
        if made is not None:
            steps.write(rows.move, made.name, rows.THERE)
        told_by = quoted(done.told.splitlines()[-1] if done.told else "git said nothing", 400)
        raise Unavailable("worktree.git_failed", f"git could not remove {place.path}: {told_by}", "Mend that first.")
    deleted = _delete_branch(change, place, made)
    steps.write(_removed, place, made, reason, len(saved))
    notes = (
        [] if deleted or not place.branch else [f"The branch {quoted(place.branch)} stays: it has commits of its own."]
    )
    if saved:
        notes.append(f"Copies of {len(saved)} files are kept: `rescue.list`; name its version to have one back here.")
    return RemovedWorktree(place.name, place.path, place.branch, deleted, len(saved), notes)


def _find(steps: Steps, name: str, told: survey.Ownership) -> tuple[Repository, Worktree | None, Made | None]:
    root = steps.actor.root
    wanted = os.path.realpath(os.path.join(root, name))
    short = name.lower()
    mine = steps.actor.agent_id
    made = sorted(
        (one for one in told.made if short in (one.name.lower(), (one.task or "").lower(), one.task_id.lower())),
        key=lambda one: one.agent_id != mine,
    )
    for clone, there in survey.repositories(steps.actor, told.made):
        for place in git_worktrees.listed(there):
            row = next(
                (one for one in told.made if one.clone == clone and one.path(root) == place.path),
                None,
            )
            if place.path == wanted or place.branch == name or (made and row == made[0]):
                return there, survey.one(steps, there, place.path), row
    if made:
        return survey.main_repository(steps.actor), None, made[0]
    raise NotFound("worktree.unknown", f"There is no worktree {quoted(name)}.", "`worktree.list` shows all.")


def _require_free(steps: Steps, place: Worktree, made: Made | None, told: survey.Ownership) -> None:
    if place.main:
        raise Conflict("worktree.main", f"{place.path} is the main checkout.", "Name another worktree.")
    peers = [one for one in told.occupied.get(place.path, []) if one != steps.actor.agent_id]
    if peers:
        raise Conflict(
            "worktree.in_use",
            f"{called(*peers)} works in {place.path}. Nothing was removed.",
            "Ask them to end their session there, then ask again.",
            agents=peers,
        )
    if made is not None and made.agent_id not in steps.read(_kin) and told.living.get(made.agent_id):
        raise Conflict(
            "worktree.in_use",
            f"{place.path} is {called(made.agent_id)}'s, who lives. Nothing was removed.",
            "Ask them with `message.send`.",
            agentId=made.agent_id,
        )
    if place.locked not in (None, git_worktrees.HALF_MADE):
        why = f": {quoted(place.locked)}" if place.locked else ""
        raise Conflict("worktree.locked", f"{place.path} is locked{why}.", "git worktree unlock it first.")


def _kin(scope: Scope) -> set[str]:
    me = scope.actor.agent_id
    return {me, *identity.ancestors(scope, me), *identity.descendants(scope, me)}


def _keep(steps: Steps, place: Worktree, came: Mapping[str, str], *, force: bool) -> list[Saved]:
    """Copies of what is in no commit. Conflict ``worktree.work`` when it is not forced, or cannot all be kept."""
    found = git.changed(place.path) if place.state == "there" else git.ChangedPaths([], [], [])
    if found is None:
        raise Conflict(
            "worktree.unknown_work", f"git does not say what is in {place.path}.", "Look there: git status says why."
        )
    base = paths.base_of(steps.actor._replace(worktree=place.path))
    names = [
        path for path in brought.without(place.path, (*found.tracked, *found.untracked), came) if os.path.lexists(path)
    ]
    loose = not place.branch and bool(place.ahead is None or place.ahead)
    if (names or loose) and not force:
        shown = [quoted(os.path.relpath(path, place.path)) for path in names[:_MOST_NAMED]]
        more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
        what = f"{', '.join(shown)}{more}" if names else "commits that no branch has"
        raise Conflict(
            "worktree.work",
            f"There is work in {place.path} that is in no commit: {what}. Nothing was removed.",
            "Commit it on its branch; or say force and a reason, then copies are kept.",
            files=len(names),
        )
    if loose:
        raise Conflict(
            "worktree.loose_commits",
            f"{place.path} has commits that no branch has. Nothing was removed.",
            "Make a branch of them there (git switch -c NAME), then ask again.",
        )
    saved = keeping.keep(steps.actor, [(*_place(base, place, path), steps.actor.agent_id, path) for path in names])
    if len(saved) < sum(1 for path in names if os.path.isfile(path) and not os.path.islink(path)):
        raise Conflict(
            "worktree.cannot_keep",
            f"Not everything in {place.path} can be kept: it is too much, too large, or the disk is full.",
            "Commit it, or move it away.",
            kept=len(saved),
            files=len(names),
        )
    return saved


def _place(base: paths.Base, place: Worktree, path: str) -> tuple[FilePlace, str]:
    name = os.path.relpath(path, place.path).replace(os.sep, "/")
    return FilePlace(base.repository, base.worktree, base.key(name)), name


def _delete_branch(change: GitChange, place: Worktree, made: Made | None) -> bool:
    """Whether its branch went, too: it was made for this worktree, and its base has all that is in it."""
    if made is None or not place.branch or place.ahead != 0:
        return False
    commit = git_refs.find(change.there, f"{HEADS}{place.branch}")
    return commit is not None and git_worktrees.delete_branch(change, place.branch, commit).done


def _begin(scope: Scope, place: Worktree, made: Made | None, saved: list[Saved]) -> None:
    """Write down what is kept before anything goes: whoever is killed meanwhile leaves copies that are found."""
    keeping.record(scope, saved)
    for one in saved:
        versions.lose(scope, one.place, one.kept.content, scope.actor.agent_id, f"removal of the worktree {place.name}")
    if made is not None:
        rows.move(scope, made.name, rows.REMOVING)


def _removed(scope: Scope, place: Worktree, made: Made | None, reason: str, kept: int) -> None:
    if made is not None:
        _gone(scope, made, reason, kept)
        return
    _tell(scope, place.name, place.branch, None, reason, kept)


def _gone(scope: Scope, made: Made, reason: str, kept: int) -> None:
    rows.drop(scope, made.name)
    links.set_worktree(scope, made.task_id, None)
    _tell(scope, made.name, made.branch, made.task_id, reason, kept)


def _tell(scope: Scope, name: str, branch: str, task_id: str | None, reason: str, kept: int) -> None:
    told: dict[str, object] = {"worktree": name, "branch": branch, "reason": reason[:200], "kept": kept}
    subjects = (("worktree", name), *((("task", task_id),) if task_id else ()))
    scope.emit(Event("worktree.removed", agent_id=scope.actor.agent_id, metadata=told, subjects=subjects))
