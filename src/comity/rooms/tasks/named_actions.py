"""One way to act on a task for agents that name the action, and taking the next one in exchange for the present one.

What may be done is decided by ``machine`` and done by ``transitions``; here repeating what was done is no error.
"""

from __future__ import annotations

from comity.kernel.problem import Conflict
from comity.kernel.quoting import called
from comity.kernel.scope import Scope
from comity.rooms.tasks import listings, queue, transitions
from comity.rooms.tasks.lookup import facts, find
from comity.rooms.tasks.machine import ACCEPTED, BLOCKED, CANCELLED, DONE, IN_PROGRESS, PENDING, Heard
from comity.rooms.tasks.model import Found, Handoff, TakenNext, Task, Transition, found, label

LEAST_NOTES = 10  # characters
HEARD: dict[str, Heard] = {
    "claim": "claim",
    "start": "start",
    "done": "complete",
    "cancel": "cancel",
    "release": "release",
}
# States in which an action has nothing left to do: for the holder, for anybody.
_DONE_FOR_HOLDER = {"claim": (ACCEPTED, IN_PROGRESS, BLOCKED), "start": (IN_PROGRESS,)}
_DONE_FOR_ALL = {"claim": (DONE,), "start": (DONE,), "done": (DONE,), "cancel": (CANCELLED,)}


def transition(
    scope: Scope,
    ref: str,
    action: str,
    *,
    expected_revision: int | None,
    text: str,
    lease_s: int | None,
    handoff: Handoff | None,
) -> Transition:
    """Do it, find that it is done, or refuse."""
    seen = find(scope, ref, expected_revision)
    before = seen.task
    if _nothing_to_do(scope, seen, action):
        if action != "claim" or lease_s is None or before.status == DONE:
            return Transition(before, changed=False)
        return Transition(transitions.transition(scope, before.task_id, "claim", lease_s=lease_s), changed=False)
    if action == "start" and before.status == PENDING:
        raise Conflict(
            "task.wrong_state",
            f"{label(before)} is {PENDING}; you cannot start it.",
            "Claim it first.",
            **facts(seen),
            possibleIn=[ACCEPTED, BLOCKED],
        )
    after = transitions.transition(
        scope,
        before.task_id,
        HEARD[action],
        lease_s=lease_s,
        text=text,
        handoff=handoff,
        least_notes=LEAST_NOTES,
    )
    waiting = listings.dependents(scope, after.task_id) if action == "cancel" else ()
    return Transition(after, changed=True, from_state=before.status, dependents=waiting)


def take_next(scope: Scope, lease_s: int | None) -> TakenNext:
    """Claim the best ready task; only then, give back the one that was held."""
    mine = _held(scope)
    taken = queue.claim_next(scope, lease_s)
    if taken.task is None or mine is None:
        return TakenNext(*taken)
    kept = find(scope, mine.task.task_id)
    if kept.task.revision != mine.task.revision:  # its lease was over, so it went back by itself
        return TakenNext(*taken)
    note = f"{called(scope.actor.agent_id)} took {label(taken.task)} instead."
    return TakenNext(*taken, transitions.release(scope, kept, note))


def _held(scope: Scope) -> Found | None:
    """The task that the caller works on, else the oldest that it holds; a blocked one waits for something else."""
    rows = scope.tx.all("tasks.held_by", agent_id=scope.actor.agent_id, session_id=None)
    held = [one for one in map(found, rows) if one.task.status != BLOCKED]
    return min(held, key=lambda one: one.task.status != IN_PROGRESS, default=None)


def _nothing_to_do(scope: Scope, seen: Found, action: str) -> bool:
    task: Task = seen.task
    if task.status in _DONE_FOR_ALL.get(action, ()):
        return True
    return task.assigned_agent_id == scope.actor.agent_id and task.status in _DONE_FOR_HOLDER.get(action, ())
