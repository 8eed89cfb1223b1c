"""The task that an agent works on: what it chose, as long as it holds that; else what it has begun, or holds longest.

It is each agent's own. Nothing has to be chosen: who claims one task works on it.
"""

from __future__ import annotations

from comity.kernel.problem import Conflict
from comity.kernel.quoting import called
from comity.kernel.scope import Scope
from comity.rooms.plans.model import CurrentTask
from comity.rooms.tasks.lookup import facts, find
from comity.rooms.tasks.machine import HELD
from comity.rooms.tasks.model import label, number_of


def current(scope: Scope) -> CurrentTask:
    """The caller's."""
    row = scope.tx.one("plans.current", agent_id=scope.actor.agent_id)
    if row is None:
        return CurrentTask(None, None, None, None, chosen=False)
    task_id, number, title, status, chosen = row
    return CurrentTask(task_id, number_of(number), title, status, chosen=bool(chosen))


def choose(scope: Scope, ref: str) -> CurrentTask:
    """Work on this one of the tasks that the caller holds. NotFound ``task.unknown``; Conflict ``plan.not_held``."""
    seen = find(scope, ref)
    task = seen.task
    if task.assigned_agent_id != scope.actor.agent_id or task.status not in HELD:
        holder = f"; {called(task.assigned_agent_id)} holds it" if task.assigned_agent_id else ""
        raise Conflict(
            "plan.not_held",
            f"You do not hold {label(task)}: it is {task.status}{holder}.",
            "Claim it first; `task.list` shows what is free.",
            **facts(seen),
        )
    scope.tx.run("plans.choose", agent_id=scope.actor.agent_id, task_id=task.task_id, now=scope.now.iso)
    return current(scope)


def forget(scope: Scope) -> CurrentTask:
    """Choose none; the task stays the caller's. What counts as current then."""
    scope.tx.run("plans.forget_choice", agent_id=scope.actor.agent_id)
    return current(scope)
