"""One agent turns out to be another: what it holds and what waits for it goes over, and nothing is left behind."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.scope import Scope
from comity.rooms.agents import sessions


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
    for what in ("claims", "claim_details", "tasks"):
        tx.run(f"agents.hand_over_{what}", old=old, new=new, session_id=target)
    _messages(scope, old, new)
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


def _messages(scope: Scope, old: str, new: str) -> None:
    """What waits for ``old``; of what ``new`` got as well, one is enough."""
    tx = scope.tx
    tx.run("agents.drop_doubles", old=old, new=new)
    rows = tx.all("agents.waiting_messages", agent_id=old)
    if not rows:
        return
    first = tx.one("agents.next_sequence", agent_id=new)
    sequence = first[0] if first is not None and isinstance(first[0], int) else 1
    for place, (delivery_id,) in enumerate(rows):
        tx.run("agents.hand_over_message", delivery_id=delivery_id, old=old, new=new, sequence=sequence + place)
    tx.run("agents.set_next_sequence", agent_id=new, next=sequence + len(rows))
    tx.run("agents.hand_over_injections", old=old, new=new)
    scope.wakes.add(new)
