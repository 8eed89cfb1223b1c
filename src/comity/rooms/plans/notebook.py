"""The plan of a task as it is written: its text, notes, errors and deliverable.

Who may write what: the text and the deliverable are the holder's and the dispatcher's once somebody holds the task, and
anybody's before, so that a planner can write the plan of a task that others then take. Notes and errors are anybody's:
reviewers write them. An error is resolved by whoever found it, and by those who may write the text.
"""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.problem import Conflict, Invalid, Limited, NotFound
from comity.kernel.quoting import called
from comity.kernel.scope import Scope
from comity.rooms.plans.current_task import current
from comity.rooms.plans.model import (
    MOST_ENTRIES,
    BegunPlan,
    NotedPlan,
    OnePlan,
    Plan,
    PlanEntry,
    PlanError,
    PlanMark,
    Plans,
)
from comity.rooms.tasks.lookup import facts, find
from comity.rooms.tasks.machine import HELD
from comity.rooms.tasks.model import Found, label, number_of

_SHOWN = 200  # characters of a note in an event


def begin(scope: Scope, ref: str, content: str | None) -> BegunPlan:
    """A plan for a task; one that is there stays as it is."""
    seen = find(scope, ref)
    if scope.tx.one("plans.row", task_id=seen.task.task_id) is not None:
        return BegunPlan(_plan(scope, seen.task.task_id), created=False)
    _require_writer(scope, seen)
    _begin(scope, seen, content or "")
    return BegunPlan(_plan(scope, seen.task.task_id), created=True)


def update(scope: Scope, ref: str, content: str, expected_revision: int | None) -> OnePlan:
    """Another text for a plan, which is begun where there is none."""
    seen = find(scope, ref)
    _require_writer(scope, seen)
    begun = expected_revision is None and _begin(scope, seen, content)
    before = _require_plan(scope, seen, 0)
    if expected_revision is not None and before.revision != expected_revision:
        raise Conflict(
            "plan.stale",
            f"The plan of {label(seen.task)} is at revision {before.revision}, not {expected_revision}; "
            f"{called(before.updated_by)} was the last to change anything in it.",
            "Look at it again (`plan.get`), and repeat the call with the present revision if your text still fits.",
            **facts(seen),
            planRevision=before.revision,
        )
    if not begun and before.task_plan != content:
        _rewrite(scope, seen, content)
    return OnePlan(_plan(scope, seen.task.task_id))


def get(scope: Scope, ref: str | None, notes: int) -> OnePlan:
    """A task's plan; without a task that of the caller's current one."""
    if ref is None:
        mine = current(scope)
        if mine.task_id is None:
            raise Invalid(
                "plan.no_task",
                "No task is named, and you hold none.",
                "Name a task, or claim one first: `task.take_next`.",
            )
        ref = mine.task_id
    seen = find(scope, ref)
    return OnePlan(_require_plan(scope, seen, notes))


def listed(scope: Scope, limit: int, *, only_open: bool) -> Plans:
    """Plans, the one that was changed last first."""
    rows = scope.tx.all("plans.listed", limit=limit + 1, only_open=int(only_open))
    found = [PlanMark._make((row[0], number_of(row[1]), *row[2:7], bool(row[7]), row[8])) for row in rows[:limit]]
    return Plans(found, len(rows) > limit)


def note(scope: Scope, ref: str, text: str) -> NotedPlan:
    """A note, at the end of those that are there."""
    seen = find(scope, ref)
    _add(scope, seen, "note", text)
    _tell(scope, "plan.noted", seen, note=text[:_SHOWN])
    return _noted(scope, seen)


def deliver(scope: Scope, ref: str, text: str) -> NotedPlan:
    """What was made. Another one takes its place."""
    seen = find(scope, ref)
    _require_writer(scope, seen)
    _begin(scope, seen)
    scope.tx.run("plans.deliver", deliverable=text, **_written(scope, seen))
    _tell(scope, "plan.delivered", seen, note=text[:_SHOWN])
    return _noted(scope, seen)


def add_error(scope: Scope, ref: str, error_type: str, message: str, context: str) -> NotedPlan:
    """Something that went wrong, which is open until it is resolved."""
    seen = find(scope, ref)
    place = _add(scope, seen, "error", message, error_type, context)
    _tell(scope, "plan.failed", seen, error=place, type=error_type, note=message[:_SHOWN])
    return _noted(scope, seen)


def resolve_error(scope: Scope, ref: str, index: int) -> NotedPlan:
    """An error stands in nobody's way any more. NotFound ``plan.no_error``."""
    seen = find(scope, ref)
    plan = _require_plan(scope, seen, 0)
    row = scope.tx.one("plans.error", task_id=seen.task.task_id, place=index)
    if row is None:
        some = f"has {len(plan.errors)} of them, counted from 0" if plan.errors else "has none"
        raise NotFound(
            "plan.no_error",
            f"There is no error {index} in the plan of {label(seen.task)}: it {some}.",
            "Look at its errors (`plan.get`) and name one by its index.",
            **facts(seen),
            errorIndex=index,
        )
    found_by, resolved_at = row
    if found_by != scope.actor.agent_id:
        _require_writer(scope, seen)
    if resolved_at is None:
        scope.tx.run("plans.resolve", place=index, **_written(scope, seen))
        scope.tx.run("plans.touch", **_written(scope, seen))
        _tell(scope, "plan.resolved", seen, error=index)
    return _noted(scope, seen)


def _require_writer(scope: Scope, seen: Found) -> None:
    """Conflict ``plan.not_yours`` for a task that another agent holds, unless the caller dispatched it."""
    task, me = seen.task, scope.actor.agent_id
    if task.assigned_agent_id in (None, me) or task.status not in HELD or task.dispatcher_agent_id == me:
        return
    holder = called(task.assigned_agent_id)
    raise Conflict(
        "plan.not_yours",
        f"{holder} holds {label(task)}: its plan and what is delivered are theirs to write.",
        f"Add a note (`plan.note`), or tell them: `message.send {task.assigned_agent_id}`.",
        **facts(seen),
    )


def _require_plan(scope: Scope, seen: Found, notes: int) -> Plan:
    task = seen.task
    if scope.tx.one("plans.row", task_id=task.task_id) is None:
        raise NotFound(
            "plan.none",
            f"{label(task)} has no plan.",
            f"Begin one: `plan.begin {task.number or task.task_id}`.",
            **facts(seen),
        )
    return _plan(scope, task.task_id, notes)


def _begin(scope: Scope, seen: Found, content: str = "") -> bool:
    """Whether there was no plan."""
    made = scope.tx.run("plans.insert", content=content, **_written(scope, seen))
    if made:
        _tell(scope, "plan.begun", seen)
    return bool(made)


def _rewrite(scope: Scope, seen: Found, content: str) -> None:
    scope.tx.run("plans.rewrite", content=content, **_written(scope, seen))
    _tell(scope, "plan.updated", seen)


def _add(scope: Scope, seen: Found, kind: str, text: str, error_type: str | None = None, context: str = "") -> int:
    """Limited ``plan.full``; else where the entry stands."""
    _begin(scope, seen)
    counts = scope.tx.one("plans.counts", task_id=seen.task.task_id) or (0, 0, 0)
    place = int(counts[0] if kind == "note" else counts[1])
    if place >= MOST_ENTRIES:
        raise Limited(
            "plan.full",
            f"The plan of {label(seen.task)} has {MOST_ENTRIES:,} entries of the kind {kind} already.",
            "Write what still counts into the plan itself: `plan.update`.",
            **facts(seen),
        )
    scope.tx.run(
        "plans.add_entry",
        kind=kind,
        place=place,
        content=text,
        error_type=error_type,
        context=context,
        **_written(scope, seen),
    )
    scope.tx.run("plans.touch", **_written(scope, seen))
    return place


def _written(scope: Scope, seen: Found) -> dict[str, object]:
    return {"task_id": seen.task.task_id, "agent_id": scope.actor.agent_id, "now": scope.now.iso}


def _tell(scope: Scope, event_type: str, seen: Found, **detail: object) -> None:
    task, me = seen.task, scope.actor.agent_id
    about: dict[str, object] = {"task_id": task.task_id, "number": task.number, **detail}
    concerned = task.assigned_agent_id if task.status in HELD else None
    if concerned not in (None, me):
        about["by"] = me
    subjects = (("task", task.task_id),)
    scope.emit(Event(event_type, agent_id=concerned or me, metadata=about, subjects=subjects))


def _noted(scope: Scope, seen: Found) -> NotedPlan:
    notes, errors, still_open = scope.tx.one("plans.counts", task_id=seen.task.task_id) or (0, 0, 0)
    return NotedPlan(seen.task.task_id, seen.task.number, notes, errors, still_open, scope.now.iso)


def _plan(scope: Scope, task_id: str, notes: int = 50) -> Plan:
    row = scope.tx.one("plans.row", task_id=task_id)
    assert row is not None, "it is there in this transaction"
    count, _, still_open = scope.tx.one("plans.counts", task_id=task_id) or (0, 0, 0)
    found = scope.tx.all("plans.notes", task_id=task_id, limit=notes)
    errors = [
        PlanError(place, agent_id, at, kind or "", message, context or "", resolved_at is not None, resolved_by)
        for place, agent_id, at, kind, message, context, resolved_at, resolved_by in scope.tx.all(
            "plans.errors", task_id=task_id
        )
    ]
    told = [PlanEntry(*one) for one in reversed(found)]
    return Plan._make((row[0], number_of(row[1]), *row[2:7], told, count, errors, still_open, *row[7:]))
