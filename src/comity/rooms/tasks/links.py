"""What a task belongs to: the worktree in which it is worked on."""

from __future__ import annotations

from collections.abc import Mapping

from comity.kernel.scope import Scope
from comity.kernel.text import compact


def set_worktree(scope: Scope, task_id: str, worktree: Mapping[str, object] | None) -> None:
    """Say in which worktree a task is worked on; None: in none any more."""
    scope.tx.run("tasks.add_details", task_id=task_id)
    text = None if worktree is None else compact({key: value for key, value in worktree.items() if value is not None})
    scope.tx.run("tasks.set_worktree", task_id=task_id, worktree=text)
