"""Catching up: what was said in a channel, what was said to the reader alone, and that both were read.

For agents whose tools know no acknowledging. A channel message counts as read once it was listed, since it can be read
again by its number; a direct one when the next call comes, so that an answer that got lost loses nothing.
"""

from __future__ import annotations

from comity.kernel.scope import Scope
from comity.rooms.channels import polling, recalling, receiving
from comity.rooms.channels.model import PRIORITIES, CaughtUp, ChannelHistory, Delivery, DirectMessage

_MOST_DIRECT = 50
_MOST_READ = 500  # deliveries that one call acknowledges: the write lock is held meanwhile
_REQUEST = polling.Request(0, _MOST_DIRECT, True, None)


def look(scope: Scope, channel: str, since_seq: int, limit: int, *, newest: bool) -> CaughtUp | None:
    """The answer when nothing waits for the reader, else None."""
    if scope.actor.spectator or polling.look(scope, _REQUEST) is not None:
        return CaughtUp(*recalling.history(scope, channel, since_seq, limit, newest=newest))
    return None


def catch_up(scope: Scope, channel: str, since_seq: int, limit: int, *, newest: bool) -> CaughtUp:
    """Read, and acknowledge what was read."""
    history = recalling.history(scope, channel, since_seq, limit, newest=newest)
    _acknowledge(scope, history)
    deliveries = polling.poll(scope, _REQUEST).deliveries
    return CaughtUp(*history, tuple(_direct(one) for one in deliveries if one.channel_id is None))


def _acknowledge(scope: Scope, history: ChannelHistory) -> None:
    listed = {message.message_id for message in history.messages}
    waiting = scope.tx.all("channels.waiting", agent_id=scope.actor.agent_id, limit=_MOST_READ)
    for delivery_id, message_id, channel_id, state in waiting:
        if message_id in listed if channel_id is not None else state == "surfaced":
            receiving.acknowledge(scope, delivery_id)


def _direct(one: Delivery) -> DirectMessage:
    return DirectMessage(
        one.delivery_id,
        one.message_id,
        one.from_.agent_id,
        one.from_.name,
        one.content,
        PRIORITIES[one.priority],
        one.type,
        one.timestamp,
        one.truncated,
    )
