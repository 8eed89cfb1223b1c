"""From leased to written to seen: what becomes of an injection, and which of it counts as read.

Only an answer of the model after the injection proves that it was seen: hooks of one batch of tool calls run at once
and prove nothing. A seen delivery is acknowledged when it was injected whole and its sender did not ask for
``processed``, which only the agent itself can give.
"""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.scope import Scope
from comity.kernel.text import compact, read_object
from comity.rooms.channels import poll
from comity.rooms.turns.model import Written


def written(scope: Scope, injection_id: str) -> Written:
    """The digest was written out: its deliveries are surfaced."""
    agent_id = scope.actor.agent_id
    rows = scope.tx.all("turns.written", agent_id=agent_id, injection_id=injection_id, now_ms=scope.now.ms)
    if rows:
        ids = [row[0] for row in rows]
        new = scope.tx.all("turns.queued", delivery_ids=compact(ids))
        poll.surface(scope, [str(row[0]) for row in new])
        scope.emit(Event("message.injected", agent_id=agent_id, metadata={"deliveries": ids}))
    return Written(injection_id, len(rows))


def seen(scope: Scope) -> list[str]:
    """The model has answered since: what was injected before is seen. The ids of what that acknowledges."""
    agent_id, now = scope.actor.agent_id, scope.now
    rows = scope.tx.all("turns.seen", agent_id=agent_id, now_ms=now.ms)
    if not rows:
        return []
    stays = [str(row[0]) for row in rows if not row[1]]
    whole = compact([row[0] for row in rows if row[1]])
    done: list[str] = []
    for delivery_id, message_id, channel_id, ack in scope.tx.all("turns.seen_messages", delivery_ids=whole):
        if (read_object(ack) or {}).get("request_level") == "processed":
            stays.append(str(delivery_id))
            continue
        scope.tx.run("channels.acknowledge", delivery_id=delivery_id)
        scope.tx.run("channels.insert_ack", delivery_id=delivery_id, level="received", now=now.iso)
        scope.emit(Event("message.ack", message_id, delivery_id, agent_id, channel_id, metadata={"seen": True}))
        done.append(str(delivery_id))
    if stays:
        scope.tx.run("turns.reminded", delivery_ids=compact(stays), now_ms=now.ms)
    return done


def forget_unseen(scope: Scope) -> None:
    """The context begins anew, without what nobody has seen: it is given again."""
    scope.tx.run("turns.unsee", agent_id=scope.actor.agent_id)
