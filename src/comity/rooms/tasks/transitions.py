"""Moving a task from state to state: claim, start, complete, block, cancel, release.

Each is one compare-and-set on what was seen: state, holder and revision. The protocol's original reads, checks and then
updates whatever is there (reference E-01); of Comity's agents one wins, and the others are told who did.
"""

from __future__ import annotations

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.quoting import called, word
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.agents.liveness import LONG_LEASE_MS
from comity.rooms.tasks import contracts
from comity.rooms.tasks.checks import CHECKS, Move
from comity.rooms.tasks.lookup import find, stale
from comity.rooms.tasks.machine import HELD, MACHINE, RULES, Heard
from comity.rooms.tasks.model import Found, Handoff, Holder, Task, found

PROMPT_LEASE_S = 3600
_AT_ONCE = 100  # lapsed holds that one call ends
_SHOWN = 200  # characters of a note in an event


def holder_of(scope: Scope, ref: str) -> Holder | None:
    """Who holds a task, None when nobody does. Raises NotFound ``task.unknown``."""
    seen = find(scope, ref)
    task = seen.task
    if task.assigned_agent_id is None or task.status not in HELD:
        return None
    return Holder(task.assigned_agent_id, seen.session_id, task.status, task.lease_expires_at)


def release_all(scope: Scope, agent_id: str, session_id: str | None, note: str) -> list[Task]:
    """Put everything that an agent holds back into the queue, with a note for whoever takes it on.

    For agents that leave or died: no session is checked. With a session id only what that session holds, and what no
    session is named for; a newer session of the agent keeps its own.
    """
    rows = scope.tx.all("tasks.held_by", agent_id=agent_id, session_id=session_id)
    return [release(scope, found(row), note) for row in rows]


def release(scope: Scope, seen: Found, note: str) -> Task:
    """Take a held task from its holder. The caller has checked that this may be."""
    return _move(scope, seen, "release", "pending", None, note)


def release_lapsed(scope: Scope) -> int:
    """End holds whose lease is over; how many."""
    rows = scope.tx.all("tasks.lapsed", now=scope.now.iso, limit=_AT_ONCE)
    for row in rows:
        release(scope, found(row), _lapse(found(row).task))
    return len(rows)


def transition(
    scope: Scope,
    ref: str,
    heard: Heard,
    *,
    expected_revision: int | None = None,
    lease_s: int | None = None,
    text: str | None = None,
    handoff: Handoff | None = None,
    least_notes: int = 0,
) -> Task:
    """Do what was heard, or refuse.

    What an agent at a prompt takes without a lease has one of an hour: nobody would notice that it died.
    ``text`` is the result, the reason or the handoff note, to which ``handoff`` adds. A claim by the holder with a
    lease renews it. A result for which no contract asks has at least ``least_notes`` characters.
    """
    if heard in ("claim", "start") and lease_s is None and _is_at_prompt(scope):
        lease_s = PROMPT_LEASE_S
    seen = find(scope, ref, expected_revision)
    mine = seen.task.assigned_agent_id == scope.actor.agent_id
    if heard in ("claim", "start") and not mine and _lapsed(scope, seen.task):
        release(scope, seen, _lapse(seen.task))
        seen = find(scope, seen.task.task_id)
    if heard == "claim" and mine and lease_s is not None and seen.task.status in HELD:
        return _renew(scope, seen, lease_s)
    for check in RULES[heard].checks:
        CHECKS[check](Move(scope, seen, heard))
    to = MACHINE.step(seen.task.status, heard)
    assert isinstance(to, str), "the state was checked"
    if heard == "complete":
        contracts.check_result(seen, text or "", least_notes)
    if heard == "release":
        contracts.check_handoff(seen, text or "")
    return _move(scope, seen, heard, to, lease_s, text, handoff)


def _is_at_prompt(scope: Scope) -> bool:
    own = scope.observer.presence
    return own is not None and own.pid is None and own.lease_ms > LONG_LEASE_MS


def _move(
    scope: Scope,
    seen: Found,
    heard: Heard,
    to: str,
    lease_s: int | None,
    text: str | None,
    more: Handoff | None = None,
) -> Task:
    """Write the transition and its event; the task as it is then."""
    actor, task = scope.actor, seen.task
    agent_id, session_id, result, reason = task.assigned_agent_id, seen.session_id, task.result, task.reason
    if heard in ("claim", "start"):
        agent_id, session_id = actor.agent_id, actor.session_id
    if heard == "complete":
        result = text or ""
    if heard == "release":
        agent_id = session_id = None
    if heard != "claim":
        reason = (text or "") if heard in ("block", "cancel") else None
    changed = scope.tx.run(
        "tasks.move",
        task_id=task.task_id,
        seen_status=task.status,
        seen_holder=task.assigned_agent_id,
        seen_revision=task.revision,
        to=to,
        agent_id=agent_id,
        session_id=session_id,
        result=result,
        reason=reason,
        now=scope.now.iso,
    )
    if not changed:
        raise stale(find(scope, task.task_id), task.revision)
    lease = None if agent_id != task.assigned_agent_id or to not in HELD else task.lease_expires_at
    handoff = task.handoff
    if lease_s is not None:
        lease = _set_lease(scope, task, lease_s)
    if heard == "release":
        handoff = _hand_off(scope, task, text or "", more)
    after = task._replace(
        status=to,
        assigned_agent_id=agent_id,
        result=result,
        reason=reason,
        updated_at=scope.now.iso,
        revision=task.revision + (task.number is not None),
        lease_expires_at=lease,
        handoff=handoff,
    )
    _tell(scope, heard, task, after, text)
    return after


def _tell(scope: Scope, heard: Heard, before: Task, after: Task, text: str | None) -> None:
    concerned = before.assigned_agent_id if heard in ("release", "cancel") else None
    agent_id = concerned or scope.actor.agent_id
    about: dict[str, object] = {
        "task_id": after.task_id,
        "number": after.number,
        "from": before.status,
        "to": after.status,
        "revision": after.revision,
    }
    if agent_id != scope.actor.agent_id:
        about["by"] = scope.actor.agent_id
    if text:
        about["note"] = text[:_SHOWN]
    subjects = (("task", after.task_id),)
    scope.emit(Event(f"task.{RULES[heard].past}", agent_id=agent_id, metadata=about, subjects=subjects))


def _renew(scope: Scope, seen: Found, lease_s: int) -> Task:
    return seen.task._replace(lease_expires_at=_set_lease(scope, seen.task, lease_s))


def _set_lease(scope: Scope, task: Task, lease_s: int) -> str:
    until = Instant.at(scope.now.ms + lease_s * 1000).iso
    _require_details(scope, task)
    scope.tx.run("tasks.set_lease", task_id=task.task_id, lease_until=until)
    return until


def _require_details(scope: Scope, task: Task) -> None:
    """A task whose own row is missing gets one: somebody removed the triggers that make it."""
    if task.number is None:
        scope.tx.run("tasks.add_details", task_id=task.task_id)


def _hand_off(scope: Scope, task: Task, note: str, more: Handoff | None) -> dict[str, object]:
    handoff: dict[str, object] = {
        "summary": note,
        "from": task.assigned_agent_id,
        "by": scope.actor.agent_id,
        "at": scope.now.iso,
    }
    if task.reason:
        handoff["reason"] = task.reason
    if more is not None:
        handoff |= {key: value for key, value in more._asdict().items() if value and key != "summary"}
    _require_details(scope, task)
    scope.tx.run("tasks.set_handoff", task_id=task.task_id, handoff=compact(handoff))
    return handoff


def _lapsed(scope: Scope, task: Task) -> bool:
    return task.lease_expires_at is not None and task.lease_expires_at <= scope.now.iso and task.status in HELD


def _lapse(task: Task) -> str:
    return f"The lease of {called(task.assigned_agent_id)} ended at {word(task.lease_expires_at)}."
