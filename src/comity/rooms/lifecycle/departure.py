"""The end of a session: what it held is free again, whoever ends it (protocol reference 4.5, and 9.2 E-03, E-26).

An agent leaves by itself (deactivate, delete, the end of its server), or is found dead and reaped. Either way its
claims are released, its unfinished tasks return to the queue with a note for whoever goes on, its memberships end and
its session is closed: in one transaction, with the protocol's own audit event.
"""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import called
from comity.kernel.scope import Scope
from comity.rooms.agents import identity, sessions
from comity.rooms.agents.model import DeadAgent
from comity.rooms.claims import release
from comity.rooms.lifecycle import unseen
from comity.rooms.lifecycle.model import Reaped, ReapedAgent
from comity.rooms.tasks import transitions

MOST_AT_ONCE = 20  # sessions reaped in one transaction, so that it holds the write lock briefly


class Freed(NamedTuple):
    """What a session held."""

    files: list[str]
    task_ids: list[str]


def leave(scope: Scope, status: str, reason: str, release_reason: str) -> Freed | None:
    """End the actor's session. None, and nothing changed, when it is not its agent's active one."""
    actor = scope.actor
    note = f"{called(actor.agent_id)} left" + (f": {reason}" if reason else "")
    freed = _end(scope, actor.agent_id, actor.session_id, status, reason, release_reason, note)
    if freed is not None:
        scope.emit(Event("session.deregister", agent_id=actor.agent_id))
    return freed


def knows(scope: Scope) -> bool:
    """Whether the actor is a host's session that was heard of."""
    host = scope.actor.host
    return (
        host is not None
        and scope.tx.one("lifecycle.heard_of", host=host.host, host_session_id=host.session_id) is not None
    )


def part(scope: Scope, reason: str) -> list[str]:
    """The actor's host says that its session, or a subagent, is over; the files that are free now."""
    host = scope.actor.host
    if host is None:
        return []
    free: list[str] = []
    for agent_id in identity.end(scope, host, reason):
        session = scope.tx.one("lifecycle.session_without_process", agent_id=agent_id)
        stays = reason == identity.CLEARED and agent_id not in identity.subagents_of(scope, host)
        if session is None or stays:
            rows = scope.tx.all("lifecycle.hooks_claims", agent_id=agent_id)
            free += release.release_these(scope, agent_id, rows, "session ended")
            continue
        other = scope.acting_as(scope.actor._replace(agent_id=agent_id, session_id=session[0]))
        freed = leave(other, "inactive", reason or "its host ended the session", "deactivated")
        free += freed.files if freed is not None else []
    return free


def look_for_dead(scope: Scope, *, agent_id: str | None = None, certain: bool = False) -> Reaped | None:
    """What ``reap`` answers when nobody is dead; None when it has something to write."""
    return None if unseen.gone(scope, agent_id, certain=certain) else Reaped([])


def reap(scope: Scope, agent_id: str | None, *, certain: bool) -> Reaped:
    """End the sessions of the dead. The verdicts are made anew here, so that whoever was renewed meanwhile lives."""
    dead = unseen.gone(scope, agent_id, certain=certain)
    reaped = [one for gone in dead[:MOST_AT_ONCE] if (one := _reap(scope, gone)) is not None]
    return Reaped(reaped, len(dead) > MOST_AT_ONCE)


def _reap(scope: Scope, gone: DeadAgent) -> ReapedAgent | None:
    note = f"{called(gone.agent_id)} is gone: {gone.how}"
    freed = _end(scope, gone.agent_id, gone.session_id, "inactive", note, "reaped", note)
    if freed is None:
        return None
    facts: dict[str, object] = {
        "session_id": gone.session_id,
        "reason": gone.how,
        "released_files": freed.files,
        "returned_task_ids": freed.task_ids,
        "reaped_by": scope.actor.agent_id,
    }
    scope.emit(
        Event("agent.reaped", agent_id=gone.agent_id, metadata=facts),
        Event("session.deregister", agent_id=gone.agent_id, metadata={"reason": f"reaped: {gone.how}"}),
    )
    return ReapedAgent(*gone, freed.files, freed.task_ids)


def _end(
    scope: Scope, agent_id: str, session_id: str, status: str, reason: str, release_reason: str, note: str
) -> Freed | None:
    if scope.tx.one("agents.active_session", agent_id=agent_id, session_id=session_id) is None:
        return None
    freed = _free(scope, agent_id, session_id, release_reason, note)
    sessions.close(scope, agent_id, session_id)
    sessions.set_state(scope, agent_id, status, None, reason or None)
    return freed


def _free(scope: Scope, agent_id: str, session_id: str, release_reason: str, note: str) -> Freed:
    """Release the session's claims and return its unfinished tasks."""
    files = release.release_all(scope, agent_id, session_id, release_reason)
    tasks = transitions.release_all(scope, agent_id, session_id, note)
    return Freed(files, [task.task_id for task in tasks])
