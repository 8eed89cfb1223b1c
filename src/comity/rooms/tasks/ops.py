"""Operations on tasks. All are refused with ``MACP_ERR_SESSION_UNKNOWN`` to a session that is not active."""

from __future__ import annotations

from comity.kernel.op import Wait, op
from comity.kernel.scope import Scope
from comity.rooms.agents.model import AgentId, Slug
from comity.rooms.channels.model import WaitMs
from comity.rooms.goals.model import GoalId
from comity.rooms.tasks import dispatch, listings, queue, transitions
from comity.rooms.tasks.model import (
    Archived,
    Cursor,
    Description,
    EventLimit,
    ExpectedRevision,
    FinishedStatus,
    HandoffNote,
    History,
    IncludeSubtasks,
    LeaseSeconds,
    Next,
    OneTask,
    Priority,
    PriorityClass,
    Ready,
    Reason,
    Result,
    Status,
    TaskLimit,
    TaskRef,
    TaskRefs,
    Tasks,
    TaskView,
    Title,
)


@op(
    "task.dispatch",
    effect="write",
    needs="session",
    pausable=True,
    example={"title": "Write the parser", "priority": "P1"},
)
def dispatch_task(
    scope: Scope,
    *,
    title: Title,
    description: Description = "",
    profile_slug: Slug | None = None,
    priority: Priority = "P2",
    goal_id: GoalId | None = None,
    parent_task_id: TaskRef | None = None,
    depends_on: TaskRefs | None = None,
) -> OneTask:
    """Put a task into the queue for any agent, or for those of one profile."""
    return OneTask(
        dispatch.dispatch(scope, title, description, profile_slug, priority, goal_id, parent_task_id, depends_on or [])
    )


@op("task.claim", effect="write", needs="session", pausable=True, example={"task_id": "task-001"})
def claim_task(
    scope: Scope,
    *,
    task_id: TaskRef,
    lease_s: LeaseSeconds | None = None,
    expected_revision: ExpectedRevision | None = None,
) -> OneTask:
    """Take a pending task, so that nobody else does.

    With a lease the hold ends by itself after so many seconds; claiming one's own task again with a lease renews it.
    """
    return OneTask(
        transitions.transition(scope, task_id, "claim", expected_revision=expected_revision, lease_s=lease_s)
    )


@op("task.start", effect="write", needs="session", pausable=True, example={"task_id": "task-001"})
def start_task(
    scope: Scope,
    *,
    task_id: TaskRef,
    lease_s: LeaseSeconds | None = None,
    expected_revision: ExpectedRevision | None = None,
) -> OneTask:
    """Begin a task, claiming it if it is free, or go on with a blocked one."""
    return OneTask(
        transitions.transition(scope, task_id, "start", expected_revision=expected_revision, lease_s=lease_s)
    )


@op(
    "task.complete",
    effect="write",
    needs="session",
    pausable=True,
    example={"task_id": "task-001", "result": "Parser and 14 tests in src/parser.py."},
)
def complete_task(
    scope: Scope, *, task_id: TaskRef, result: Result = "", expected_revision: ExpectedRevision | None = None
) -> OneTask:
    """Finish a task that you hold."""
    return OneTask(transitions.transition(scope, task_id, "complete", expected_revision=expected_revision, text=result))


@op(
    "task.block",
    effect="write",
    needs="session",
    pausable=True,
    example={"task_id": "task-001", "reason": "The grammar is undecided."},
)
def block_task(
    scope: Scope, *, task_id: TaskRef, reason: Reason = "", expected_revision: ExpectedRevision | None = None
) -> OneTask:
    """Say that a task that you hold cannot go on; starting it again unblocks it."""
    return OneTask(transitions.transition(scope, task_id, "block", expected_revision=expected_revision, text=reason))


@op(
    "task.cancel",
    effect="write",
    needs="session",
    pausable=True,
    example={"task_id": "task-001", "reason": "Not needed any more."},
)
def cancel_task(
    scope: Scope, *, task_id: TaskRef, reason: Reason = "", expected_revision: ExpectedRevision | None = None
) -> OneTask:
    """Give a task up for good: its holder or dispatcher may, anybody while it is free."""
    task = transitions.transition(scope, task_id, "cancel", expected_revision=expected_revision, text=reason)
    return OneTask(task, listings.dependents(scope, task.task_id))


@op(
    "task.release",
    effect="write",
    needs="session",
    example={"task_id": "task-001", "note": "The lexer is done; see src/lexer.py."},
)
def release_task(
    scope: Scope, *, task_id: TaskRef, note: HandoffNote = "", expected_revision: ExpectedRevision | None = None
) -> OneTask:
    """Put a task that you hold or dispatched back into the queue, with a note for its next holder."""
    return OneTask(transitions.transition(scope, task_id, "release", expected_revision=expected_revision, text=note))


@op("task.get", effect="read", needs="session", example={"task_id": "task-001", "include_subtasks": True})
def get_task(scope: Scope, *, task_id: TaskRef, include_subtasks: IncludeSubtasks = False) -> TaskView:
    """Show a task with its goals, dependencies and, if wanted, subtasks."""
    return listings.view(scope, task_id, include_subtasks=include_subtasks)


@op("task.list", effect="read", needs="session", example={"status": "pending"})
def list_tasks(
    scope: Scope,
    *,
    status: Status | None = None,
    profile_slug: Slug | None = None,
    priority: PriorityClass | None = None,
    goal_id: GoalId | None = None,
    assigned_agent_id: AgentId | None = None,
    limit: TaskLimit = 50,
) -> Tasks:
    """List tasks that are not archived, most urgent first, then newest first."""
    return Tasks(listings.listed(scope, status, profile_slug, priority, goal_id, assigned_agent_id, limit))


@op("task.archive", effect="write", needs="session", pausable=True, example={"status": "done"})
def archive_tasks(scope: Scope, *, status: FinishedStatus = "done", goal_id: GoalId | None = None) -> Archived:
    """Take finished tasks out of the lists, whoever did them."""
    return listings.archive(scope, status, goal_id)


@op("task.ready", effect="read", needs="session", example={"limit": 10})
def ready_tasks(scope: Scope, *, limit: TaskLimit = 20, profile_slug: Slug | None = None) -> Ready:
    """List the tasks that you may begin now, best first.

    Free ones, for your profile or for any, whose dependencies are done; by priority, then age. A task counts as much as
    the most urgent one that waits for it. Each day of waiting raises a task by one level, but never before a P0.
    """
    return queue.ready(scope, limit, profile_slug)


def _look(scope: Scope, *, lease_s: int | None = None, wait_ms: int = 0) -> Next | None:
    return queue.look(scope)


def _none(found: Next) -> bool:
    return found.task is None


@op(
    "task.next",
    effect="write",
    needs="session",
    pausable=True,
    example={"lease_s": 3600},
    peek=_look,
    waits=Wait(_none, "log"),
)
def next_task(scope: Scope, *, lease_s: LeaseSeconds | None = None, wait_ms: WaitMs = 0) -> Next:
    """Claim the best ready task for your profile, or learn why there is none.

    With ``wait_ms`` it waits until there is one.
    """
    return queue.claim_next(scope, lease_s)


@op(
    "task.depend",
    effect="write",
    needs="session",
    pausable=True,
    example={"task_id": "task-002", "depends_on": ["task-001"]},
)
def depend_task(
    scope: Scope, *, task_id: TaskRef, depends_on: TaskRefs, expected_revision: ExpectedRevision | None = None
) -> OneTask:
    """Let a task wait for exactly these others; an empty list frees it."""
    return OneTask(dispatch.depend(scope, task_id, depends_on, expected_revision))


@op("task.history", effect="read", needs="session", example={"task_id": "task-001"})
def task_history(scope: Scope, *, task_id: TaskRef, after: Cursor = "", limit: EventLimit = 100) -> History:
    """Tell what happened to a task, oldest first."""
    return listings.history(scope, task_id, after, limit)
