"""How an agent comes in: registered, and a member of its default channel."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from comity.kernel.hints import Any
from comity.kernel.scope import Scope
from comity.rooms.agents import identity, sessions
from comity.rooms.agents.model import Registration
from comity.rooms.channels import membership


def known(scope: Scope) -> Scope:
    """The scope of the agent that the actor is: one that a host started is the agent that its host's session is."""
    if scope.actor.host is None:
        return scope
    host = identity.own(scope, scope.actor.host)
    new = identity.is_new_double(scope, host)
    agent_id, name = identity.known_as(scope, host)
    found = scope.acting_as(scope.actor._replace(agent_id=agent_id, name=name, host=host))
    if new:
        _doubled().tell(found, host)
    return found


def start(
    scope: Scope,
    interest_tags: Sequence[str] | None,
    max_pending_messages: int | None,
    max_context_bytes: int | None,
    profile_slug: str | None,
) -> Registration:
    """Register the actor, who is known, as it was started where nothing else is said, and join its channel."""
    actor = scope.actor
    registration = sessions.register(
        scope,
        actor.interest_tags if interest_tags is None else interest_tags,
        max_pending_messages or actor.max_pending_messages,
        max_context_bytes or actor.max_context_bytes,
        profile_slug,
    )
    if actor.channel:
        membership.join(scope, actor.channel)
    if actor.host is not None and identity.MARK in actor.host.session_id:
        _doubled().tell_itself(scope, actor.host)
    return registration


def _doubled() -> Any:
    return import_module("comity.rooms.channels.doubled")  # hardly ever
