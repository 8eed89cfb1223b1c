"""Looking at tasks: one, many, and what happened to them. Cost does not grow with the tasks that are done."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.scope import Row, Scope
from comity.kernel.text import cursor_at, position_of, read_object
from comity.rooms.goals import tree
from comity.rooms.tasks.lookup import find
from comity.rooms.tasks.machine import OPEN
from comity.rooms.tasks.model import (
    MAX_ARCHIVED,
    RANKS,
    Archived,
    History,
    Task,
    TaskEvent,
    TaskView,
    Waited,
    found,
    normal_slug,
    waited,
)

_DEPENDENTS = 100


def view(scope: Scope, ref: str, *, include_subtasks: bool) -> TaskView:
    """A task with what is around it."""
    task = find(scope, ref).task
    subtasks = (
        [found(row).task for row in scope.tx.all("tasks.subtasks", task_id=task.task_id)] if include_subtasks else []
    )
    cycle = tree.ancestry(scope, task.goal_id)[1] if task.goal_id is not None else ()
    return TaskView(
        task,
        subtasks,
        tree.chain(scope, task.goal_id),
        waited(scope.tx.all("tasks.dependencies", task_id=task.task_id)),
        dependents(scope, task.task_id),
        cycle,
    )


def dependents(scope: Scope, task_id: str) -> tuple[Waited, ...]:
    """Open tasks that wait for this one."""
    return waited(scope.tx.all("tasks.dependents", task_id=task_id, limit=_DEPENDENTS))


def listed(
    scope: Scope,
    status: str | None,
    profile_slug: str | None,
    priority: str | None,
    goal_id: str | None,
    assigned_agent_id: str | None,
    limit: int,
) -> list[Task]:
    """Live tasks by priority, newest first, through the index of whichever filter leaves least to read."""
    profile = None if profile_slug is None else normal_slug(profile_slug)
    rest: dict[str, object] = {"priority": priority, "limit": limit}
    rows: list[Row]
    if status in OPEN or (status is not None and assigned_agent_id is goal_id is profile is None):
        rest |= {"profile_slug": profile, "goal_id": goal_id, "assigned_agent_id": assigned_agent_id}
        rows = scope.tx.all("tasks.list_by_status", status=status, **rest)
    elif assigned_agent_id is not None:
        rest |= {"status": status, "profile_slug": profile, "goal_id": goal_id}
        rows = scope.tx.all("tasks.list_by_holder", assigned_agent_id=assigned_agent_id, **rest)
    elif goal_id is not None:
        rows = scope.tx.all("tasks.list_by_goal", goal_id=goal_id, status=status, profile_slug=profile, **rest)
    elif profile is not None:
        rows = scope.tx.all("tasks.list_by_profile", profile_slug=profile, status=status, **rest)
    elif priority is not None:
        rows = scope.tx.all("tasks.list_by_rank", rank=RANKS[priority], **rest)
    else:
        rows = scope.tx.all("tasks.list_all", limit=limit)
    return [found(row).task for row in rows]


def archive(scope: Scope, status: str, goal_id: str | None) -> Archived:
    """Take finished tasks out of the lists, anybody's, at most so many at a time."""
    rows = scope.tx.all("tasks.archive", status=status, goal_id=goal_id, limit=MAX_ARCHIVED, now=scope.now.iso)
    if rows:
        about: dict[str, object] = {"status": status, "goal_id": goal_id, "count": len(rows)}
        subjects = tuple(("task", row[0]) for row in rows)
        scope.emit(Event("task.archived", agent_id=scope.actor.agent_id, metadata=about, subjects=subjects))
    return Archived(len(rows), len(rows) == MAX_ARCHIVED)


def history(scope: Scope, ref: str, after: str, limit: int) -> History:
    """What happened to a task, from a cursor on."""
    start = position_of(after)
    task = find(scope, ref).task
    rows = scope.tx.all("tasks.history", task_id=task.task_id, after=start, limit=limit)
    events = [TaskEvent._make((*row[:4], read_object(row[4]) or {})) for row in rows]
    return History(task.task_id, task.number, task.revision, events, cursor_at(events[-1].id if events else start))
