"""Operations that act on tasks: one that is told the action, and one that exchanges the present task for the next."""

from __future__ import annotations

from collections.abc import Mapping

from comity.kernel.hints import Any
from comity.kernel.op import Wait, op
from comity.kernel.scope import Scope
from comity.rooms.channels.model import WaitMs
from comity.rooms.tasks import named_actions, queue
from comity.rooms.tasks.model import (
    Action,
    ExpectedRevision,
    Handoff,
    LeaseSeconds,
    Notes,
    Reason,
    TakenNext,
    TaskRef,
    Transition,
)


def _is_work(values: Mapping[str, Any]) -> bool:
    return bool(values["action"] != "release")


@op(
    "task.transition",
    effect="write",
    needs="session",
    pausable=_is_work,
    example={"task_id": "task-002", "action": "claim"},
)
def transition_task(
    scope: Scope,
    *,
    task_id: TaskRef,
    action: Action,
    expected_revision: ExpectedRevision | None = None,
    notes: Notes = "",
    reason: Reason = "",
    lease_s: LeaseSeconds | None = None,
    handoff: Handoff | None = None,
) -> Transition:
    """Claim, start, finish, cancel or release a task.

    Claim it before you start it. What is so already is answered with ``changed`` false. done takes notes: at least 10
    characters or, with a contract, each text that it asks for. cancel takes a reason; release takes a handoff, with a
    summary when the contract is strict. With ``expected_revision`` it is refused once the task has changed: Conflict
    ``task.stale`` tells the present revision.
    """
    summary = handoff.summary if handoff is not None else None
    text = {"done": notes, "cancel": reason, "release": summary or reason or notes}.get(action, "")
    return named_actions.transition(
        scope,
        task_id,
        action,
        expected_revision=expected_revision,
        text=text,
        lease_s=lease_s if action in ("claim", "start") else None,
        handoff=handoff,
    )


def _look(scope: Scope, *, lease_s: int | None = None, wait_ms: int = 0) -> TakenNext | None:
    found = queue.look(scope)
    return None if found is None else TakenNext(*found)


def _none(found: TakenNext) -> bool:
    return found.task is None


@op(
    "task.take_next",
    effect="write",
    needs="session",
    pausable=True,
    example={"lease_s": 3600},
    peek=_look,
    waits=Wait(_none, "log"),
)
def take_next_task(scope: Scope, *, lease_s: LeaseSeconds | None = None, wait_ms: WaitMs = 0) -> TakenNext:
    """Claim the best ready task and give back the one that you held, or keep that when there is none.

    The best is as task.next has it: by priority, then age. With ``wait_ms`` it waits until there is one. A blocked task
    is not given back.
    """
    return named_actions.take_next(scope, lease_s)
