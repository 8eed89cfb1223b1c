"""Finding the task that is meant, by its id or its number."""

from __future__ import annotations

import re

from comity.kernel.problem import Conflict, Invalid, NotFound
from comity.kernel.quoting import called, word
from comity.kernel.scope import Scope
from comity.rooms.tasks.model import Found, found, label

_NUMBER = re.compile(r"task-0*([0-9]{1,15})", re.IGNORECASE | re.ASCII)


def find(scope: Scope, ref: str, expected_revision: int | None = None) -> Found:
    """The task that ``ref`` names: an id, else a number such as ``task-001``.

    Raises NotFound ``task.unknown``, Invalid ``task.ambiguous`` when it is one task's id and another's number, and
    Conflict ``task.stale`` when the task is no longer at the expected revision.
    """
    row = scope.tx.one("tasks.by_id", task_id=ref)
    numbered = _NUMBER.fullmatch(ref)
    if numbered is not None:
        other = scope.tx.one("tasks.by_number", number=int(numbered[1]))
        if row is not None and other is not None and row[0] != other[0]:
            raise Invalid(
                "task.ambiguous",
                f"{ref!r} is the id of one task and the number of another.",
                "Name the task by its id.",
                taskIds=[row[0], other[0]],
            )
        row = row or other
    if row is None:
        raise NotFound(
            "task.unknown",
            f"There is no task {ref!r}.",
            "Name it by its id or its number, such as task-001, as the task list shows them.",
            taskId=ref,
        )
    seen = found(row)
    if expected_revision is not None and seen.task.revision != expected_revision:
        raise stale(seen, expected_revision)
    return seen


def stale(seen: Found, expected_revision: int) -> Conflict:
    """What a caller is told whose picture of the task is old."""
    task = seen.task
    held = f", held by {called(task.assigned_agent_id)}" if task.assigned_agent_id else ""
    return Conflict(
        "task.stale",
        f"{label(task)} is at revision {task.revision}, not {expected_revision}: it is {word(task.status)}{held}.",
        "Look at the task again and decide anew; repeat the call with the present revision only if it still fits.",
        **facts(seen),
        expectedRevision=expected_revision,
    )


def facts(seen: Found) -> dict[str, object]:
    """What refusals tell of a task."""
    task = seen.task
    return {
        "taskId": task.task_id,
        "number": task.number,
        "status": task.status,
        "revision": task.revision,
        "assignedAgentId": task.assigned_agent_id,
    }
