"""Putting tasks into the queue, and what they depend on."""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.event import Event
from comity.kernel.javascript import trim
from comity.kernel.problem import Conflict, Forbidden, Invalid, NotFound
from comity.kernel.quoting import called, word
from comity.kernel.scope import Scope
from comity.rooms.tasks.lookup import facts, find
from comity.rooms.tasks.machine import CANCELLED, OPEN
from comity.rooms.tasks.model import CLASSES, LOWEST, Task, found, label, normal_slug


def dispatch(
    scope: Scope,
    title: str,
    description: str,
    profile_slug: str | None,
    priority: str | int,
    goal_id: str | None,
    parent_task_id: str | None,
    depends_on: Sequence[str],
) -> Task:
    """Add a pending task. Profile, goal, parent and dependencies are checked in this order."""
    tx = scope.tx
    slug = _known_profile(scope, profile_slug)
    if goal_id is not None and tx.one("tasks.goal_exists", goal_id=goal_id) is None:
        raise NotFound(
            "goal.unknown", f"There is no goal {goal_id}.", "List the goals to see their ids.", goalId=goal_id
        )
    parent = find(scope, parent_task_id).task.task_id if parent_task_id is not None else None
    name = trim(title)
    if not name:
        raise Invalid("task.blank_title", "A task's title is more than blanks.", "Say what is to be done.")
    first = [find(scope, ref).task for ref in depends_on]
    _refuse_cancelled(first)
    task_id = scope.new_id()
    tx.run(
        "tasks.insert_task",
        task_id=task_id,
        title=name,
        description=description,
        profile_slug=slug,
        priority=priority if isinstance(priority, str) else CLASSES[priority],
        goal_id=goal_id,
        parent_task_id=parent,
        agent_id=scope.actor.agent_id,
        now=scope.now.iso,
    )
    tx.run("tasks.add_details", task_id=task_id)
    if priority == LOWEST:
        tx.run("tasks.set_level", task_id=task_id, level=priority)
    for one in first:
        tx.run("tasks.add_dependency", task_id=task_id, depends_on=one.task_id)
    return _told(scope, "task.dispatched", task_id, first)


def depend(scope: Scope, ref: str, depends_on: Sequence[str], expected_revision: int | None) -> Task:
    """Let a task wait for exactly these others. Its dispatcher and its holder may; anybody while it is free."""
    seen = find(scope, ref, expected_revision)
    task, tx = seen.task, scope.tx
    if task.assigned_agent_id and scope.actor.agent_id not in (task.assigned_agent_id, task.dispatcher_agent_id):
        raise Forbidden(
            "task.not_yours",
            f"{label(task)} is assigned to {called(task.assigned_agent_id)}, not to you.",
            f"Ask its holder or its dispatcher, {called(task.dispatcher_agent_id)}.",
            **facts(seen),
        )
    if task.status not in OPEN:
        raise Conflict(
            "task.wrong_state",
            f"{label(task)} is {word(task.status)}.",
            "Only open tasks wait for others.",
            **facts(seen),
        )
    first = [find(scope, one).task for one in depends_on]
    _refuse_cancelled(first)
    for one in first:
        _refuse_cycle(scope, task, one)
    tx.run("tasks.drop_dependencies", task_id=task.task_id)
    for one in first:
        tx.run("tasks.add_dependency", task_id=task.task_id, depends_on=one.task_id)
    tx.run("tasks.touch", task_id=task.task_id)
    return _told(scope, "task.linked", task.task_id, first)


def _known_profile(scope: Scope, slug: str | None) -> str | None:
    if slug is None:
        return None
    wanted = normal_slug(slug)
    if scope.tx.one("tasks.profile_exists", slug=wanted) is None:
        raise NotFound(
            "profile.unknown",
            f"There is no profile {wanted!r}.",
            "Register the profile first, or dispatch the task without one.",
            profileSlug=wanted,
        )
    return wanted


def _refuse_cancelled(tasks: Sequence[Task]) -> None:
    dead = [task for task in tasks if task.status == CANCELLED]
    if dead:
        raise Conflict(
            "task.dependency_cancelled",
            f"{', '.join(map(label, dead))}: cancelled, so it will never be done.",
            "Leave it out, or depend on what replaces it.",
            taskIds=[task.task_id for task in dead],
        )


def _refuse_cycle(scope: Scope, task: Task, first: Task) -> None:
    """Conflict ``task.cycle`` when ``first`` itself waits for ``task``, however indirectly."""
    ways: dict[str, str] = {}  # each task on the way, with one that waits for it
    for waiting, awaited in scope.tx.all("tasks.leads_to", task_id=first.task_id):
        ways.setdefault(awaited, waiting)
    if first.task_id != task.task_id and task.task_id not in ways:
        return
    path = [task.task_id]
    while path[-1] != first.task_id:
        path.append(ways[path[-1]])
    names = " waits for ".join(label(find(scope, task_id).task) for task_id in (*path[::-1], first.task_id)[:20])
    raise Conflict(
        "task.cycle",
        f"{label(task)} cannot wait for {label(first)}: {names}." if len(path) > 1 else f"{label(task)} is itself.",
        "Leave that dependency out.",
        taskIds=path[::-1],
    )


def _told(scope: Scope, event_type: str, task_id: str, first: Sequence[Task]) -> Task:
    row = scope.tx.one("tasks.by_id", task_id=task_id)
    assert row is not None
    task = found(row).task
    about: dict[str, object] = {"task_id": task_id, "number": task.number, "revision": task.revision}
    if event_type == "task.dispatched":
        about["title"] = task.title[:200]
    if first or event_type == "task.linked":
        about["depends_on"] = [one.task_id for one in first]
    scope.emit(
        Event(event_type, agent_id=scope.actor.agent_id, metadata=about, subjects=(("task", task_id),)),
    )
    return task
