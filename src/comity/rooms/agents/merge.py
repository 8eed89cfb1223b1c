"""One agent turns out to be another: what it holds and what waits for it goes over, and nothing is left behind."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.scope import Scope
from comity.rooms.agents import heirs, sessions


def move(scope: Scope, old: str, new: str) -> None:
    """Make ``new`` of ``old``, which was the same all along: its claims, tasks, channels and pending messages, too."""
    tx = scope.tx
    tx.run("agents.move_host_sessions", old=old, new=new)
    tx.run("agents.move_parents", old=old, new=new)
    source = tx.one("agents.session_of", agent_id=old)
    if source is None:
        return
    target = _active_session(scope, new)
    tx.run("agents.copy_memberships", old=old, new=new, session_id=target, now=scope.now.iso)
    heirs.hand_over(scope, old, new, target)
    if source[1] == "active":
        sessions.close(scope, old, source[0])
        sessions.set_state(scope, old, "inactive", None, f"it is {new}")
        scope.emit(Event("session.deregister", agent_id=old, metadata={"reason": f"it is {new}"}))
    scope.emit(Event("agent.moved", agent_id=new, metadata={"from": old}))


def _active_session(scope: Scope, agent_id: str) -> str:
    row = scope.tx.one("agents.session_of", agent_id=agent_id)
    if row is not None and row[1] == "active":
        return str(row[0])
    actor = scope.actor
    session_id = scope.new_id()
    other = scope.acting_as(actor._replace(agent_id=agent_id, session_id=session_id))
    sessions.register(other, actor.interest_tags, actor.max_pending_messages, actor.max_context_bytes, None)
    return session_id
