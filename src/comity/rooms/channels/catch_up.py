"""Catching up: what was said in a channel, what was said to the reader alone, and that both were read.

For agents whose tools know no acknowledging. A channel message counts as read once it was listed, since it can be read
again by its number; a direct one when the next call comes, so that an answer that got lost loses nothing. What is not
urgent and was passed over by two calls that asked for the newest counts as read, too: nobody will ask for it, and the
queue would fill with it.
"""

from __future__ import annotations

from comity.kernel.scope import Scope
from comity.rooms.channels import acknowledgements, channel_log, deliveries, poll
from comity.rooms.channels.deliveries import SPEAKER
from comity.rooms.channels.model import PRIORITIES, CaughtUp, Delivery, DirectMessage

_MOST_DIRECT = 50
_URGENT = 2  # steering and interrupt
_MOST_READ = 500  # deliveries that one call acknowledges: the write lock is held meanwhile
_REQUEST = poll.Request(0, _MOST_DIRECT, True, None)


def look(scope: Scope, channel: str, since_seq: int, limit: int, *, newest: bool) -> CaughtUp | None:
    """The answer when nothing waits for the reader, else None."""
    if scope.actor.spectator or poll.look(scope, _REQUEST) is not None:
        return CaughtUp(*channel_log.history(scope, channel, since_seq, limit, newest=newest))
    return None


def catch_up(scope: Scope, channel: str, since_seq: int, limit: int, *, newest: bool) -> CaughtUp:
    """Read, and acknowledge what was read."""
    history = channel_log.history(scope, channel, since_seq, limit, newest=newest)
    listed = {message.message_id for message in history.messages}
    _acknowledge(scope, listed, passed_over=channel if newest else None)
    direct = [one for one in poll.poll(scope, _REQUEST).deliveries if one.channel_id is None]
    sure = any(map(deliveries.is_notice, direct)) and deliveries.speaks_alone(scope)
    return CaughtUp(*history, tuple(_direct(one, sure=sure) for one in direct))


def _acknowledge(scope: Scope, listed: set[str], *, passed_over: str | None) -> None:
    waiting = scope.tx.all("channels.waiting", agent_id=scope.actor.agent_id, limit=_MOST_READ)
    for delivery_id, message_id, channel_id, state, priority in waiting:
        seen_before = state == "surfaced"
        if channel_id is None:
            read = seen_before
        else:
            old = seen_before and channel_id == passed_over and priority < _URGENT
            read = message_id in listed or old
        if read:
            acknowledgements.acknowledge(scope, delivery_id)


def _direct(one: Delivery, *, sure: bool) -> DirectMessage:
    return DirectMessage(
        one.delivery_id,
        one.message_id,
        one.from_.agent_id,
        one.from_.name,
        one.content,
        PRIORITIES[one.priority],
        one.type if SPEAKER not in one.from_ or (sure and deliveries.is_notice(one)) else "message",
        one.timestamp,
        one.truncated,
    )
