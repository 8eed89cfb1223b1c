"""Operations that add tasks, each once, and rank them."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.agents.model import Slug
from comity.rooms.tasks import additions
from comity.rooms.tasks.model import (
    Contract,
    Description,
    ExpectedRevision,
    Level,
    NewTask,
    NewTasks,
    OneTask,
    TaskRef,
    Tasks,
    Title,
)


@op("task.add", effect="write", needs="session", pausable=True, example={"title": "Write the printer", "level": 2})
def add_task(
    scope: Scope,
    *,
    title: Title,
    description: Description = "",
    level: Level = 3,
    profile_slug: Slug | None = None,
    contract: Contract | None = None,
) -> OneTask:
    """Add a task, unless an unfinished one has the same title.

    Titles are the same whatever their case and spacing: Conflict ``task.duplicate`` names the other task. A contract
    says what the notes must tell before the task can be done.
    """
    new = NewTask(title, description, level, None, profile_slug, contract)
    return OneTask(additions.add(scope, [new])[0])


@op(
    "task.add_many",
    effect="write",
    needs="session",
    pausable=True,
    example={"tasks": [{"title": "Write the printer", "level": 2}, {"title": "Test the printer"}]},
)
def add_many_tasks(scope: Scope, *, tasks: NewTasks) -> Tasks:
    """Add several tasks: all of them, or none when one is refused.

    Each is checked as task.add does, against the queue and against the others; they are answered in the order given.
    """
    return Tasks(additions.add(scope, tasks))


@op("task.prioritize", effect="write", needs="session", pausable=True, example={"task_id": "task-002", "level": 1})
def prioritize_task(
    scope: Scope, *, task_id: TaskRef, level: Level, expected_revision: ExpectedRevision | None = None
) -> OneTask:
    """Say how urgent an unfinished task is, from 1 (urgent) to 5 (low)."""
    return OneTask(additions.prioritize(scope, task_id, level, expected_revision))
