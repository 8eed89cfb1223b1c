"""Whoever a hook speaks for: the agent of the host's session, registered when nobody has done that yet."""

from __future__ import annotations

from importlib import import_module

from comity.kernel.scope import Actor, Scope
from comity.rooms.agents import identity, presence, sessions
from comity.rooms.channels import membership
from comity.rooms.turns.model import Identity

RENEW_SHARE = 4  # a lease is renewed when a quarter of it is over
_SUFFIX = 4  # characters of a subagent's id that its name ends with


def settle(scope: Scope, source: str = "") -> Scope:
    """The same transaction for the agent's active session, which this makes if there is none.

    A hook is no process that lives: it speaks in the session of the agent's server, or in one that has only a lease.
    ``source``: why the agent's context has just begun, if it has.
    """
    scope = become(scope, source)
    actor = scope.actor
    row = scope.tx.one("agents.session_of", agent_id=actor.agent_id)
    if row is not None and row[1] == "active":
        found = scope if row[0] == actor.session_id else scope.acting_as(actor._replace(session_id=row[0]))
        presence.renew(found)
        return found
    sessions.register(scope, actor.interest_tags, actor.max_pending_messages, actor.max_context_bytes, None)
    if actor.channel:
        membership.join(scope, actor.channel)
    return scope


def become(scope: Scope, source: str = "") -> Scope:
    """The same transaction for the agent of the host's session, whether it has a session of ours or not."""
    actor = scope.actor
    if actor.host is None:
        return scope
    host = identity.own(scope, actor.host, source)
    new = identity.is_new_double(scope, host)
    agent_id = identity.identify(scope, host, source)
    actor = _known_as(actor._replace(host=host), agent_id)
    if agent_id != scope.actor.agent_id and not (host.named or host.subagent_id):
        row = scope.tx.one("agents.name_of", agent_id=agent_id)  # others know it by that
        actor = actor if row is None or not row[0] else actor._replace(name=str(row[0]))
    found = scope.acting_as(actor)
    if new:
        import_module("comity.rooms.channels.doubled").tell(found, host)  # hardly ever
    return found


def find(scope: Scope) -> Scope | None:
    """The same by reading alone; None when something must be written first."""
    actor = scope.actor
    if actor.host is None:
        return scope
    host = identity.own(scope, actor.host)
    agent_id = identity.find(scope, host)
    return None if agent_id is None else scope.acting_as(actor._replace(agent_id=agent_id, host=host))


def identity_of(scope: Scope) -> Identity:
    """Who the actor is, and in which active session."""
    row = scope.tx.one("turns.identity", agent_id=scope.actor.agent_id)
    name, session_id = row or (None, None)
    return Identity(scope.actor.agent_id, session_id or "", name or "")


def look(scope: Scope) -> Scope | None:
    """What ``settle`` answers, by reading alone; None when something must be written first."""
    found = find(scope)
    if found is None:
        return None
    actor = found.actor
    if actor.host is not None and identity.outlives(scope, actor.host):
        return None
    row = scope.tx.one("turns.session", agent_id=actor.agent_id, now_ms=scope.now.ms, share=RENEW_SHARE)
    if row is None:
        return None
    return scope.acting_as(actor._replace(session_id=row[0]))


def ends_elsewhere(scope: Scope) -> bool:
    """Whether a host says of a session that it is over, which another process has, and lives: nothing comes of that."""
    host = scope.actor.host
    return host is not None and host.begins == identity.END and identity.is_new_double(scope, identity.own(scope, host))


def goes_on(scope: Scope) -> None:
    """The user spoke, or the context begins anew: subagents that nobody ended may have been interrupted."""
    host = scope.actor.host
    if host is not None and not host.subagent_id:
        identity.goes_on(scope, host)


def leaves_subagents(scope: Scope) -> bool:
    """Whether there are subagents that fall silent when the session goes on."""
    host = scope.actor.host
    return host is not None and not host.subagent_id and identity.has_speaking(scope, host)


def seen(scope: Scope) -> Scope:
    """The agent by reading alone, also where something must be written first; whoever is not known yet, as they are."""
    return look(scope) or find(scope) or scope


def _known_as(actor: Actor, agent_id: str) -> Actor:
    """The actor as this agent: with a session of its own, should it need one, and a name that tells it from others."""
    assert actor.host is not None
    name, sub = actor.name, actor.host.subagent_id
    if sub:
        name = f"{name or actor.agent_id}.{sub[-_SUFFIX:]}"
    elif agent_id != actor.agent_id and actor.host.named:
        name = agent_id
    else:
        name = identity.named(actor, agent_id)
    session_id = actor.session_id if agent_id == actor.agent_id else f"{actor.host.host or 'server'}:{agent_id}"
    return actor._replace(agent_id=agent_id, session_id=session_id, name=name)
