"""Making a worktree for a task: written down first, then made by git, then written down as there.

Whoever is killed in between leaves a row that says so, and at most a half made folder, which ``mending`` finds. A
branch that is there is never reset: with own commits it is gone on with, without any it goes forward to its base.
"""

from __future__ import annotations

import contextlib
import os
import re

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Invalid, NotFound, Problem, Unavailable
from comity.kernel.quoting import called, quoted
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.tasks import lookup
from comity.rooms.tasks.model import label
from comity.rooms.work import standing
from comity.rooms.worktrees import bases, furnishing, holding, mending, rows, survey
from comity.rooms.worktrees.bases import HEADS, BaseCommit
from comity.rooms.worktrees.model import FOLDER, MadeWorktree, Worktree
from comity.rooms.worktrees.rows import Made
from comity.system import git_exclude, git_refs, git_worktrees, repository
from comity.system.git_change import GitChange
from comity.system.held_file import HeldFile
from comity.system.repository import Repository

CLONES = ".masc/playground/{agent}/repos"
_CLONE = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")


class Wanted(NamedTuple):
    """A worktree that is to be made: for which task, of which repository, where, and from which commit."""

    made: Made
    there: Repository
    path: str
    base: BaseCommit


def create(steps: Steps, task: str, base_branch: str | None, clone: str | None) -> MadeWorktree:
    """Make it, or find it made. Raises Conflict, Invalid, NotFound, Unavailable ``worktree.*``, ``branch.*``."""
    steps.read(_require_free, task)
    there, folder = _repository(steps, clone)
    mending.mend(steps)
    base = bases.find(there, base_branch)
    wanted = steps.read(_wanted, task, there, folder, base)
    with holding.of(steps.actor, wanted.made.name) as held:
        holding.require(held, wanted.made.name)
        return _make(steps, wanted, held)


def _make(steps: Steps, wanted: Wanted, held: HeldFile) -> MadeWorktree:
    there = wanted.there
    change = GitChange(there, keeps=held.kept)
    known = next((one for one in git_worktrees.listed(there) if one.path == wanted.path), None)
    if known is not None and known.there:
        return _found(steps, wanted, known)
    if known is not None:
        _forget_missing(change, known)
    _require_empty(wanted.path)
    notes: list[str] = []
    began, start = _branch(wanted, notes)
    wanted = wanted._replace(made=wanted.made._replace(began=began))
    steps.write(rows.put, wanted.made)
    try:
        _keep_out(there, wanted)
        steps.report(0, 0, "checking out")
        done = git_worktrees.add(change, wanted.path, wanted.made.branch, start)
        if not done.done:
            raise _failed(done.told)
    except BaseException:
        with contextlib.suppress(Problem):  # then the next call ends it
            mending.undo(steps, change, wanted.made)
        raise
    if change.off:
        notes.append(furnishing.filtered(wanted.path, change.off))
    found = furnishing.furnish(steps.actor, there, wanted.path)
    made = survey.one(steps, there, wanted.path)
    steps.write(rows.there, wanted.made, found.brought)
    return _answer(wanted, made, found.copied, [*notes, *found.notes], created=True)


def _found(steps: Steps, wanted: Wanted, known: git_worktrees.Worktree) -> MadeWorktree:
    """It is there: whoever asks goes on in it. Conflict ``worktree.half_made`` for what git left to somebody else."""
    if known.locked == git_worktrees.HALF_MADE:
        told = f"{known.path} is half made, by a git that still runs or was killed."
        raise Conflict("worktree.half_made", told, "If none runs: `git worktree remove -f -f` it, then ask again.")
    before = steps.read(_row, wanted.made.name)
    row = wanted.made._replace(branch=known.branch, began=before.began if before is not None else "")
    made = survey.one(steps, wanted.there, wanted.path)
    steps.write(rows.there, row, before.brought if before is not None else {})
    notes = ["It was there already; what is in it was left as it is."]
    return _answer(wanted, made, [], notes, created=False)


def _answer(
    wanted: Wanted, made: Worktree | None, copied: list[str], notes: list[str], *, created: bool
) -> MadeWorktree:
    if made is None:
        told = f"{wanted.path} is gone again."
        raise Conflict("worktree.gone", told, "Somebody removed it just now; ask again.")
    made = survey.owned(made, wanted.made, living=True)
    following = (
        f"Work in {quoted(wanted.path)}: begin your session there, or change into that folder. Commit on "
        f"{quoted(made.branch)}; `worktree.remove` takes it away once {quoted(made.base)} has its commits."
    )
    return MadeWorktree(made, created, copied, notes, following)


def _row(scope: Scope, name: str) -> Made | None:
    return next((one for one in rows.every(scope) if one.name == name), None)


def _forget_missing(change: GitChange, known: git_worktrees.Worktree) -> None:
    """Have git forget a worktree whose folder is gone. Conflict ``worktree.locked`` where somebody wants it kept."""
    if known.locked is not None:
        why = f": {quoted(known.locked)}" if known.locked else ""
        raise Conflict("worktree.locked", f"{known.path} is locked{why}.", "git worktree unlock it first.")
    git_worktrees.remove(change, known)


def _require_free(scope: Scope, task: str) -> None:
    """Refuse for a task that another living agent holds. Raises NotFound ``task.unknown``, Conflict ``task.held``."""
    seen = lookup.find(scope, task).task
    holder = seen.assigned_agent_id
    if holder is None or holder == scope.actor.agent_id or not standing.of(scope, [holder]).living(holder):
        return
    raise Conflict(
        "worktree.task_held",
        f"{label(seen)} is {called(holder)}'s.",
        "Take another task, or have its holder release it.",
        taskId=seen.task_id,
        assignedAgentId=holder,
    )


def _repository(steps: Steps, clone: str | None) -> tuple[Repository, str]:
    if clone is None:
        return survey.main_repository(steps.actor), ""
    if not _CLONE.match(clone) or clone in (".", ".."):
        raise Invalid("worktree.clone", f"{quoted(clone)} cannot be a clone's name.", "Letters, digits, dot, dash.")
    folder = f"{CLONES.format(agent=bases.part(steps.actor.agent_id))}/{clone}"
    path = os.path.join(steps.actor.root, folder)
    there = repository.around(path) if os.path.isdir(path) else None
    if there is None or there.checkout != os.path.realpath(path):
        raise NotFound(
            "worktree.clone", f"There is no clone {folder}.", "Clone it there, or leave repo_name out.", clone=clone
        )
    return there, folder


def _wanted(scope: Scope, task: str, there: Repository, clone: str, base: BaseCommit) -> Wanted:
    seen = lookup.find(scope, task).task
    agent, short = scope.actor.agent_id, seen.number or seen.task_id
    known = next((one for one in rows.every(scope) if (one.task_id, one.clone) == (seen.task_id, clone)), None)
    folder = f"{FOLDER}/{bases.part(agent)}-{bases.part(short)}"
    name = known.name if known is not None else f"{clone}/{folder}" if clone else folder
    branch = known.branch if known is not None else bases.branch_for(there, agent, short)
    made = Made(
        name,
        clone,
        branch,
        base.name,
        "",
        seen.task_id,
        agent,
        rows.MAKING,
        process="{}",
        made_ms=scope.now.ms,
        brought_json="{}",
        task=seen.number,
        agent_name=None,
    )
    return Wanted(made, there, os.path.realpath(os.path.join(scope.actor.root, name)), base)


def _branch(wanted: Wanted, notes: list[str]) -> tuple[str, str | None]:
    """At which commit the new branch begins, for the row and for git; ``("", None)`` where there is one already."""
    there, branch, base = wanted.there, wanted.made.branch, wanted.base
    bases.require_name(branch)
    in_use = next((one.path for one in git_worktrees.listed(there) if one.branch == branch), None)
    if in_use is not None:
        told = f"The branch {quoted(branch)} is checked out in {quoted(in_use)}."
        raise Conflict("worktree.branch_in_use", told, "Work there, or remove that worktree first.", path=in_use)
    commit = git_refs.find(there, f"{HEADS}{branch}")
    if commit is None:
        return base.commit, base.commit
    apart = bases.distance(there, base.commit, commit)
    if apart is not None and apart[0] == 0 and apart[1]:
        GitChange(there).run("update-ref", f"{HEADS}{branch}", base.commit, commit)
        notes.append(f"{quoted(branch)} was there without own commits; it was moved forward to {quoted(base.name)}.")
    else:
        ahead = "some" if apart is None else str(apart[0])
        notes.append(f"{quoted(branch)} was there with {ahead} commits that {quoted(base.name)} has not; it goes on.")
    return "", None


def _require_empty(path: str) -> None:
    if not os.path.lexists(path):
        return
    try:
        if not os.listdir(path):
            return
    except OSError:
        pass
    told = f"{path} is there, and no worktree of this repository."
    raise Conflict("worktree.occupied", told, "Move it away, or name another task.", path=path)


def _keep_out(there: Repository, wanted: Wanted) -> None:
    """Have git leave the folder of worktrees alone, in every checkout."""
    folder = os.path.dirname(wanted.path)
    try:
        inside = os.path.relpath(folder, there.checkout).replace(os.sep, "/")
        git_exclude.add(there.common, [f"/{inside}/"])
        os.makedirs(folder, exist_ok=True)
    except OSError as error:
        raise _failed(f"{folder}: {error.strerror}") from None


def _failed(told: str) -> Problem:
    lines = told.strip().splitlines() or ["git said nothing"]
    said = next((line for line in lines if line.startswith(("fatal:", "error:"))), lines[-1])
    return Unavailable(
        "worktree.git_failed",
        f"git could not make the worktree: {quoted(said, 400)}",
        "Mend that and ask again. Nothing half made was left.",
        git=told[-1000:],
    )
