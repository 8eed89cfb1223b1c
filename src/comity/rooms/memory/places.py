"""Whose memory is meant, and who may see which: scopes, channels and their members (reference 4.4, 9.2 E-10, E-32)."""

from __future__ import annotations

from comity.kernel.javascript import trim
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Forbidden, Invalid
from comity.kernel.scope import Scope


class Place(NamedTuple):
    """One scope with whom it belongs to."""

    scope: str
    owner_agent_id: str | None
    channel_id: str | None


class View(NamedTuple):
    """What the actor sees: its own memory, everybody's, and that of ``channel_id`` when it is not None."""

    agent_id: str
    channel_id: str | None


def place(scope: Scope, name: str, channel_id: str | None) -> Place:
    """Where a memory of scope ``name`` is. Channel memory is for members: Forbidden ``MACP_ERR_SENDER_NOT_MEMBER``."""
    if name == "agent":
        return Place(name, scope.actor.agent_id, None)
    if name == "workspace":
        return Place(name, None, None)
    channel = _chosen(scope, channel_id)
    if not channel:
        raise Invalid(
            "channel.missing", "No channel is named, and this agent has no default channel.", "Pass a channel id."
        )
    _require_member(scope, channel)
    return Place(name, None, channel)


def view(scope: Scope, channel_id: str | None, *, channel_wanted: bool = False) -> View:
    """What the actor may see.

    Without membership the default channel is left out; a channel that was named, or ``channel_wanted``, is refused.
    """
    channel = _chosen(scope, channel_id)
    if not channel:
        return View(scope.actor.agent_id, None)
    if channel_wanted or _named(channel_id):
        _require_member(scope, channel)
    elif not member(scope, channel):
        return View(scope.actor.agent_id, None)
    return View(scope.actor.agent_id, channel)


def open_view(scope: Scope, channel_id: str | None) -> View:
    """The same, but a channel that the actor is not in is left out even when it was named (reference E-04)."""
    channel = _chosen(scope, channel_id)
    return View(scope.actor.agent_id, channel if channel and member(scope, channel) else None)


def cascade(seen: View) -> list[Place]:
    """Where a key without a scope is looked for, first to last."""
    places = [Place("agent", seen.agent_id, None)]
    if seen.channel_id is not None:
        places.append(Place("channel", None, seen.channel_id))
    return [*places, Place("workspace", None, None)]


def member(scope: Scope, channel: str) -> bool:
    """Whether the actor's session is in the channel."""
    actor = scope.actor
    found = scope.tx.one("memory.member", channel_id=channel, agent_id=actor.agent_id, session_id=actor.session_id)
    return found is not None


def _named(channel_id: str | None) -> str:
    return trim(channel_id) if channel_id is not None else ""


def _chosen(scope: Scope, channel_id: str | None) -> str:
    return _named(channel_id) or trim(scope.actor.channel)


def _require_member(scope: Scope, channel: str) -> None:
    if not member(scope, channel):
        actor = scope.actor
        raise Forbidden(
            "MACP_ERR_SENDER_NOT_MEMBER",
            f"Agent {actor.agent_id} is not in channel {channel}: its memory is for members.",
            "Join the channel first, or use memory of the agent or the workspace.",
            agentId=actor.agent_id,
            sessionId=actor.session_id,
            channelId=channel,
        )
