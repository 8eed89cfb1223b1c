"""Operations on the plans of tasks, and on the task that an agent works on."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.plans import current_task, notebook
from comity.rooms.plans.model import (
    BegunPlan,
    CurrentTask,
    Deliverable,
    EntryLimit,
    ErrorContext,
    ErrorIndex,
    ErrorMessage,
    ErrorType,
    NotedPlan,
    OnePlan,
    OnlyOpen,
    PlanLimit,
    PlanNote,
    PlanRevision,
    Plans,
    PlanText,
)
from comity.rooms.tasks.model import TaskRef


@op("plan.begin", effect="write", needs="session", example={"task_id": "task-002"})
def begin_plan(scope: Scope, *, task_id: TaskRef, content: PlanText | None = None) -> BegunPlan:
    """Begin the plan of a task. One that is there stays as it is, and is answered.

    Anybody may, until somebody holds the task; then its holder and whoever dispatched it.
    """
    return notebook.begin(scope, task_id, content)


@op(
    "plan.update",
    effect="write",
    needs="session",
    example={"task_id": "task-001", "content": "1. Tokens. 2. Errors with line and column. 3. Tests."},
)
def update_plan(
    scope: Scope, *, task_id: TaskRef, content: PlanText, expected_revision: PlanRevision | None = None
) -> OnePlan:
    """Write the plan of a task anew. Notes, errors and what was delivered stay.

    Anybody may, until somebody holds the task; then its holder and whoever dispatched it. With ``expected_revision``
    it is refused once another one has written it: Conflict ``plan.stale``.
    """
    return notebook.update(scope, task_id, content, expected_revision)


@op("plan.get", effect="read", needs="session", example={"task_id": "task-001"})
def get_plan(scope: Scope, *, task_id: TaskRef | None = None, notes: EntryLimit = 50) -> OnePlan:
    """Read the plan of a task with its notes, its errors and what was delivered.

    Without a task it is the plan of your current one.
    """
    return notebook.get(scope, task_id, notes)


@op("plan.list", effect="read", needs="session", example={"limit": 20})
def list_plans(scope: Scope, *, only_open: OnlyOpen = False, limit: PlanLimit = 100) -> Plans:
    """List the plans, the one that was changed last first. Those of archived tasks are left out."""
    return notebook.listed(scope, limit, only_open=only_open)


@op(
    "plan.note",
    effect="write",
    needs="session",
    example={"task_id": "task-001", "note": "Strings end at the line's end: see the grammar."},
)
def note_plan(scope: Scope, *, task_id: TaskRef, note: PlanNote) -> NotedPlan:
    """Add a note to the plan of a task, whoever holds it. The plan is begun where there is none."""
    return notebook.note(scope, task_id, note)


@op(
    "plan.deliver",
    effect="write",
    needs="session",
    example={"task_id": "task-001", "content": "src/lexer.py and 14 tests, on the branch lexer."},
)
def deliver_plan(scope: Scope, *, task_id: TaskRef, content: Deliverable) -> NotedPlan:
    """Say what was made for a task, and where it is. It takes the place of what was said before.

    This does not finish the task. Whoever holds it may, and whoever dispatched it; anybody while nobody holds it.
    """
    return notebook.deliver(scope, task_id, content)


@op(
    "plan.add_error",
    effect="write",
    needs="session",
    example={"task_id": "task-001", "error_type": "test", "message": "test_numbers fails: 1e5 is read as a name."},
)
def add_plan_error(
    scope: Scope, *, task_id: TaskRef, error_type: ErrorType, message: ErrorMessage, context: ErrorContext = ""
) -> NotedPlan:
    """Write down what went wrong with a task, whoever holds it. It is open until it is resolved."""
    return notebook.add_error(scope, task_id, error_type, message, context)


@op("plan.resolve_error", effect="write", needs="session", example={"task_id": "task-001", "error_index": 0})
def resolve_plan_error(scope: Scope, *, task_id: TaskRef, error_index: ErrorIndex) -> NotedPlan:
    """Say that an error of a task stands in nobody's way any more. Repeating it changes nothing.

    Whoever found it may, whoever holds the task, and whoever dispatched it.
    """
    return notebook.resolve_error(scope, task_id, error_index)


@op("plan.set_task", effect="write", needs="session", example={"task_id": "task-001"})
def set_current_task(scope: Scope, *, task_id: TaskRef) -> CurrentTask:
    """Say which of the tasks that you hold you work on now.

    It is your current task and nobody else's, and counts as long as you hold it.
    """
    return current_task.choose(scope, task_id)


@op("plan.get_task", effect="read", needs="session", example={})
def get_current_task(scope: Scope) -> CurrentTask:
    """Tell which task you work on.

    It is the one that ``plan.set_task`` named, else one that you have begun, else the one that you hold longest.
    """
    return current_task.current(scope)


@op("plan.clear_task", effect="write", needs="session", example={})
def clear_current_task(scope: Scope) -> CurrentTask:
    """Take back what ``plan.set_task`` said. The task stays yours."""
    return current_task.forget(scope)
