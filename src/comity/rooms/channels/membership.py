"""Joining and leaving channels (MACP v1.0 sections 2.3 and 2.4), and who may read what is said in one.

The rule for reading is the same wherever words of a channel appear: in its history, in events, receipts, streams and
resources. The default channel is for whoever may look at all; any other one for its members, and for whoever oversees.
"""

from __future__ import annotations

from collections.abc import Callable

from comity.kernel.event import Event
from comity.kernel.problem import Invalid
from comity.kernel.scope import Scope
from comity.rooms.channels.model import Departure, Membership


def chosen(scope: Scope, channel_id: str | None) -> str:
    """The channel meant: the argument, else the actor's default. Invalid ``channel.missing`` when there is neither."""
    channel = (channel_id if channel_id is not None else scope.actor.channel).strip()
    if not channel:
        raise Invalid(
            "channel.missing",
            "No channel is named, and this agent has no default channel.",
            "Pass a channel id.",
        )
    return channel


def join(scope: Scope, channel_id: str | None) -> Membership:
    """Make the channel if absent and the actor's session a member of it."""
    channel = chosen(scope, channel_id)
    actor, now = scope.actor, scope.now.iso
    scope.tx.run("channels.add_channel", channel_id=channel, now=now)
    scope.tx.run(
        "channels.add_member",
        channel_id=channel,
        agent_id=actor.agent_id,
        session_id=actor.session_id,
        now=now,
    )
    peers = scope.tx.all("channels.peers", channel_id=channel, agent_id=actor.agent_id)
    scope.emit(Event("channel.join", agent_id=actor.agent_id, channel_id=channel))
    return Membership(channel, [row[0] for row in peers])


def leave(scope: Scope, channel_id: str | None) -> Departure:
    """Remove the actor from the channel; nothing happens when it is not a member."""
    channel = chosen(scope, channel_id)
    left = scope.tx.run("channels.remove_member", channel_id=channel, agent_id=scope.actor.agent_id)
    if left:
        scope.emit(Event("channel.leave", agent_id=scope.actor.agent_id, channel_id=channel))
    return Departure(channel, bool(left))


def readable(scope: Scope) -> Callable[[str], bool]:
    """Tells of a channel whether the actor may read what is said there. One look, for any number of channels."""
    actor = scope.actor
    if actor.oversees:
        return lambda _: True
    joined = {row[0] for row in scope.tx.all("channels.joined", agent_id=actor.agent_id)} if actor.agent_id else set()
    return lambda channel: channel in joined or (channel == actor.channel and channel != "")
