"""Adding tasks that nobody added before, and changing how urgent they are."""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.event import Event
from comity.kernel.problem import Conflict, Invalid
from comity.kernel.quoting import called, quoted, word
from comity.kernel.scope import Scope
from comity.rooms.tasks import contracts, dispatch
from comity.rooms.tasks.lookup import facts, find
from comity.rooms.tasks.machine import OPEN
from comity.rooms.tasks.model import CLASSES, LOWEST, NewTask, Task, label

NORMAL = 3


def folded(title: str) -> str:
    """A title as it is compared: whatever the case of its ASCII letters, and however its words are spaced."""
    return " ".join(title.casefold().split())


def same(scope: Scope, title: str) -> Task | None:
    """The unfinished task with the same title, if there is one."""
    task_id = _titled(scope, title)
    return None if task_id is None else find(scope, task_id).task


def add(scope: Scope, wanted: Sequence[NewTask]) -> list[Task]:
    """Add all of them, or refuse. Conflict ``task.duplicate`` when an unfinished one has the same title."""
    added = []
    for one in wanted:
        known = _titled(scope, one.title)
        if known is not None:
            raise _duplicate(scope, one.title, known)
        added.append(_added(scope, one))
    return added


def prioritize(scope: Scope, ref: str, level: int, expected_revision: int | None) -> Task:
    """Give an unfinished task another level; nothing happens when it has it."""
    seen = find(scope, ref, expected_revision)
    task = seen.task
    if task.status not in OPEN:
        raise Conflict(
            "task.wrong_state",
            f"{label(task)} is {word(task.status)}.",
            "Only open tasks have a priority.",
            **facts(seen),
        )
    if task.level == level:
        return task
    scope.tx.run("tasks.add_details", task_id=task.task_id)
    scope.tx.run("tasks.set_priority", task_id=task.task_id, priority=CLASSES[level], now=scope.now.iso)
    scope.tx.run("tasks.set_level", task_id=task.task_id, level=level if level == LOWEST else None)
    after = find(scope, task.task_id).task
    about: dict[str, object] = {
        "task_id": task.task_id,
        "number": after.number,
        "from_level": task.level,
        "level": level,
        "revision": after.revision,
    }
    subjects = (("task", task.task_id),)
    scope.emit(Event("task.prioritized", agent_id=scope.actor.agent_id, metadata=about, subjects=subjects))
    return after


def _titled(scope: Scope, title: str) -> str | None:
    """The unfinished task that has this title."""
    rows = scope.tx.all("tasks.titled", title=title)
    return next((task_id for task_id, other in rows if folded(str(other)) == folded(title)), None)


def _added(scope: Scope, wanted: NewTask) -> Task:
    if None not in (wanted.level, wanted.priority) and wanted.level != wanted.priority:
        raise Invalid(
            "task.two_levels",
            f"{wanted.title!r} has level {wanted.level} and priority {wanted.priority}, which mean the same.",
            "Give one of them.",
        )
    level = wanted.level or wanted.priority or NORMAL
    task = dispatch.dispatch(scope, wanted.title, wanted.description or "", wanted.profile_slug, level, None, None, [])
    if wanted.contract is None:
        return task
    scope.tx.run("tasks.set_contract", task_id=task.task_id, contract=contracts.stored(wanted.contract))
    return find(scope, task.task_id).task


def _duplicate(scope: Scope, title: str, task_id: str) -> Conflict:
    seen = find(scope, task_id)
    task = seen.task
    held = f", held by {called(task.assigned_agent_id)}" if task.assigned_agent_id else ""
    return Conflict(
        "task.duplicate",
        f"{label(task)} has that title already, {quoted(title, 200)}: it is {word(task.status)}{held}.",
        "Work on that one, or give the new one a title that tells them apart.",
        **facts(seen),
    )
