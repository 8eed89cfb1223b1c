"""Operations on worktrees. Git runs between their transactions; what it did is written down in one."""

from __future__ import annotations

from comity.kernel.op import long_op
from comity.kernel.steps import Steps
from comity.rooms.tasks.model import TaskRef
from comity.rooms.worktrees import creation, mending, removal, survey
from comity.rooms.worktrees.model import (
    BaseBranch,
    CloneName,
    Force,
    MadeWorktree,
    MendedWorktrees,
    RemovalReason,
    RemovedWorktree,
    WorktreeName,
    Worktrees,
)


@long_op("worktree.create", effect="write", needs="session", pausable=True, example={"task_id": "task-001"})
def create_worktree(
    steps: Steps, *, task_id: TaskRef, base_branch: BaseBranch | None = None, repo_name: CloneName | None = None
) -> MadeWorktree:
    """Make a checkout of its own for a task, on a branch of its own; or find the one that is there.

    The branch that the work goes back to is found where it is not named, also without a remote. A branch that is there
    is never reset. Agent hosts that are set up in the main checkout are set up in the new one.
    """
    return creation.create(steps, task_id, base_branch, repo_name)


@long_op("worktree.list", effect="read", example={})
def list_worktrees(steps: Steps) -> Worktrees:
    """List the checkouts of this repository: whose each is, for which task, and what is in it."""
    return survey.survey(steps)


@long_op("worktree.remove", effect="write", needs="session", pausable=True, example={"name": "task-001"})
def remove_worktree(
    steps: Steps, *, name: WorktreeName, force: Force = False, reason: RemovalReason = ""
) -> RemovedWorktree:
    """Take a worktree away. Refused where work would be lost, and where somebody works.

    With ``force`` and a reason it goes with work that is in no commit, of which copies are kept. Its branch goes with
    it only where the base has all of its commits.
    """
    return removal.remove(steps, name, force=force, reason=reason)


@long_op("worktree.mend", effect="write", needs="session", example={})
def mend_worktrees(steps: Steps) -> MendedWorktrees:
    """End what killed processes left of the making or removing of worktrees."""
    return MendedWorktrees(mending.mend(steps))
