"""Whoever a hook speaks for: the agent of the host's session, registered when nobody has done that yet."""

from __future__ import annotations

from comity.kernel.scope import Scope
from comity.rooms.agents import identity, presence, sessions
from comity.rooms.channels import membership

RENEW_SHARE = 4  # a lease is renewed when a quarter of it is over


def settle(scope: Scope, anew: bool = False) -> Scope:
    """The same transaction for the agent's active session, which this makes if there is none.

    A hook is no process that lives: it speaks in the session of the agent's server, or in one that has only a lease.
    """
    actor = scope.actor
    if actor.host is not None:
        agent_id = identity.identify(scope, actor.host, anew)
        if agent_id != actor.agent_id:
            actor = actor._replace(agent_id=agent_id, session_id=f"{actor.host.host}:{agent_id}")
            scope = scope.acting_as(actor)
    row = scope.tx.one("agents.session_of", agent_id=actor.agent_id)
    if row is not None and row[1] == "active":
        found = scope if row[0] == actor.session_id else scope.acting_as(actor._replace(session_id=row[0]))
        presence.renew(found)
        return found
    sessions.register(scope, actor.interest_tags, actor.max_pending_messages, actor.max_context_bytes, None)
    if actor.channel:
        membership.join(scope, actor.channel)
    return scope


def look(scope: Scope) -> Scope | None:
    """The same by reading alone; None when something must be written first."""
    actor = scope.actor
    if actor.host is not None:
        agent_id = identity.find(scope, actor.host)
        if agent_id is None:
            return None
        actor = actor._replace(agent_id=agent_id)
    row = scope.tx.one("turns.session", agent_id=actor.agent_id, now_ms=scope.now.ms, share=RENEW_SHARE)
    if row is None:
        return None
    return scope.acting_as(actor._replace(session_id=row[0]))
