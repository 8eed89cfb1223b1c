"""Sessions: one active session an agent; the newest registration wins.

An older process of the same agent is told ``MACP_ERR_SESSION_UNKNOWN`` by whatever it calls next, and its late exit
changes nothing (protocol reference 9.1, K-04 and K-05).
"""

from __future__ import annotations

from collections.abc import Sequence

from comity.kernel.agent_names import require_free
from comity.kernel.event import Event
from comity.kernel.problem import Conflict, NotFound, Unauthenticated
from comity.kernel.quoting import called, word
from comity.kernel.scope import Actor, Scope
from comity.kernel.text import compact
from comity.rooms.agents import heirs, presence
from comity.rooms.agents.model import Registration


def require_session(scope: Scope) -> None:
    """Conflict ``MACP_ERR_SESSION_UNKNOWN`` unless the actor's session is its agent's active one, or it only looks."""
    actor = scope.actor
    if actor.spectator:
        return
    if scope.tx.one("agents.active_session", agent_id=actor.agent_id, session_id=actor.session_id) is None:
        raise Conflict(
            "MACP_ERR_SESSION_UNKNOWN",
            f"Session {actor.session_id} is not the active session of agent {actor.agent_id}.",
            "It ended, or a newer process registered this agent. Register again to take the agent over.",
            agentId=actor.agent_id,
            sessionId=actor.session_id,
        )


def require_agent(scope: Scope) -> None:
    """Unauthenticated ``agent.unnamed`` for somebody who only looks on: there is nothing about them to be told."""
    if scope.actor.spectator:
        raise Unauthenticated(
            "agent.unnamed",
            "This is about the agent that asks, and nobody said which one that is.",
            "Join first, or name yourself: by an agent's token, or on an open server with X-Comity-Agent.",
        )


def register(
    scope: Scope,
    interest_tags: Sequence[str],
    max_pending_messages: int,
    max_context_bytes: int,
    profile_slug: str | None,
) -> Registration:
    """Make the actor's session its agent's active one (MACP v1.0 section 2.2), with the agent's state.

    A new session re-points what the old one held, claims and tasks too, and starts without memberships. A session that
    registers again keeps its channels.
    """
    actor, tx = scope.actor, scope.tx
    require_free(actor.agent_id, actor.name)
    slug = _known_profile(scope, profile_slug)
    old = _free_session(scope)
    now = scope.now.iso
    tx.run("agents.upsert_agent", agent_id=actor.agent_id, name=actor.name or actor.agent_id, now=now)
    moved = old is not None and old != actor.session_id
    if moved:
        tx.run("agents.defer_foreign_keys")
        tx.run("agents.drop_memberships", agent_id=actor.agent_id)
    tx.run(
        "agents.upsert_session",
        session_id=actor.session_id,
        agent_id=actor.agent_id,
        capabilities=compact(_capabilities(actor, max_context_bytes)),
        interest_tags=compact(list(interest_tags)),
        queue_preferences=compact({"max_pending_messages": max_pending_messages}),
        now=now,
    )
    if moved:
        heirs.follow_session(scope, str(old), actor.session_id)
    presence.record(scope)
    set_state(scope, actor.agent_id, "active", slug, None)
    stored = tx.one("agents.stored_profile", agent_id=actor.agent_id)
    scope.emit(Event("session.register", agent_id=actor.agent_id))
    return Registration(actor.agent_id, actor.session_id, "active", stored[0] if stored else None)


def close(scope: Scope, agent_id: str, session_id: str) -> bool:
    """Close a session with its memberships and its presence (MACP v1.0 section 2.9).

    False, and nothing changed, when it is not the agent's active one.
    """
    if not scope.tx.run("agents.close_session", agent_id=agent_id, session_id=session_id):
        return False
    scope.tx.run("agents.drop_session_memberships", agent_id=agent_id, session_id=session_id)
    scope.tx.run("agents.drop_presence", session_id=session_id)
    scope.tx.run("agents.forget_supposed", agent_id=agent_id)
    return True


def set_state(scope: Scope, agent_id: str, status: str, profile_slug: str | None, reason: str | None) -> None:
    """Write an agent's state row; a profile of None keeps the stored one."""
    scope.tx.run(
        "agents.set_state",
        agent_id=agent_id,
        status=status,
        profile_slug=profile_slug,
        reason=reason,
        now=scope.now.iso,
    )


def _known_profile(scope: Scope, slug: str | None) -> str | None:
    if slug is None:
        return None
    wanted = slug.strip().lower()
    if scope.tx.one("agents.profile", slug=wanted) is None:
        raise NotFound(
            "profile.unknown",
            f"There is no profile {wanted!r}.",
            "Register the profile first, or leave it out.",
        )
    return wanted


def _free_session(scope: Scope) -> str | None:
    """The agent's present session id, if any. Conflict when another agent uses the wanted one."""
    actor = scope.actor
    holder = scope.tx.one("agents.session_holder", session_id=actor.session_id)
    if holder is not None and holder[0] != actor.agent_id:
        raise Conflict(
            "session.taken",
            f"Session id {word(actor.session_id)} belongs to agent {called(holder[0])}.",
            "Start with another session id, or without one: a random one is made.",
            agentId=holder[0],
            sessionId=actor.session_id,
        )
    present = scope.tx.one("agents.session_of", agent_id=actor.agent_id)
    return present[0] if present else None


def _capabilities(actor: Actor, max_context_bytes: int) -> dict[str, object]:
    return {
        "role": actor.role,
        "injection_tiers": ["tier1_polling"],
        "ack_levels": ["received", "queued", "processed"],
        "max_context_bytes": max_context_bytes,
    }
