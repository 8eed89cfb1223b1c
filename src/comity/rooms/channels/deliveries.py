"""Deliveries as rows: a message in a recipient's queue, and room for it. What may be sent is decided elsewhere.

Apart from ``channels.send``, so that hooks load little more than this for a word of Comity itself.
"""

from __future__ import annotations

from functools import lru_cache

from comity.kernel.event import Event
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, number
from comity.kernel.trace import TRACEPARENT
from comity.rooms.channels.model import Delivery, Draft, Sender

SPEAKER = "comity"  # who speaks when nobody of the agents does
NOTICE = "notice"
_ITSELF = Sender(SPEAKER, SPEAKER, SPEAKER)


def notice(scope: Scope, recipient: Row, text: str, priority: str, ttl_s: int) -> bool:
    """A word of Comity itself, when there is room for it."""
    agent_id, limit, pending, sequence = recipient
    events: list[Event] = []
    draft = Draft(text, priority, NOTICE, [], 1, [], ttl_s, "text/plain", "received")
    message_id = scope.new_id()
    fits = pending < limit or (draft.level > 1 and make_room(scope, agent_id, draft.level, message_id, events))
    if fits:
        speaker = scope.acting_as(scope.actor._replace(agent_id=SPEAKER, session_id=SPEAKER, name=SPEAKER))
        insert(speaker, [(agent_id, sequence)], draft, message_id, None, events)
    scope.emit(*events)
    return fits


def is_notice(delivery: Delivery) -> bool:
    """Whether it is from Comity itself, as far as its row tells.

    No agent can have that name here, but other implementations let theirs choose: see ``speaks_alone``.
    """
    return delivery.from_ == _ITSELF and delivery.type == NOTICE and delivery.channel_id is None


def speaks_alone(scope: Scope) -> bool:
    """Whether no agent was ever registered under Comity's name, so that what is signed with it is its own."""
    return scope.tx.one("channels.impostor", speaker=SPEAKER) is None


def recipient(scope: Scope, agent_id: str) -> list[Row]:
    """Where the actor's message to an active agent goes; empty when there is none, or the actor is not active."""
    return scope.tx.all(
        "channels.direct_recipient",
        agent_id=agent_id,
        second=scope.now.second,
        sender_id=scope.actor.agent_id,
        session_id=scope.actor.session_id,
    )


def make_room(scope: Scope, agent_id: str, level: int, message_id: str, events: list[Event]) -> bool:
    """Drop the oldest queued delivery of the lowest priority, unless that outranks the incoming one."""
    row = scope.tx.one("channels.eviction_candidate", agent_id=agent_id, second=scope.now.second)
    if row is None or row[3] > level or not scope.tx.run("channels.drop", delivery_id=row[0]):
        return False
    delivery_id, evicted, channel_id, _ = row
    events.append(
        Event(
            "message.drop",
            evicted,
            delivery_id,
            agent_id,
            channel_id,
            "MACP_ERR_QUEUE_FULL_DROP_OLDEST",
            {"replaced_by_message_id": message_id},
        )
    )
    return True


def insert(
    scope: Scope,
    takers: list[tuple[str, int]],
    draft: Draft,
    message_id: str,
    channel: str | None,
    events: list[Event],
) -> list[str]:
    """Write a delivery for each taker, who comes with its next sequence number."""
    actor, tx, now = scope.actor, scope.tx, scope.now.iso
    sender = _sender(actor.agent_id, actor.session_id, actor.name or actor.agent_id)
    kind = "agent" if channel is None else "channel"
    context = compact(
        {
            "relevance_tags": draft.relevance_tags,
            "confidence": number(draft.confidence),
            "source_references": draft.source_references,
            "payload_byte_size": len(draft.content.encode()),
            **({"traceparent": traced} if (traced := TRACEPARENT.get()) else {}),
        }
    )
    before = (message_id, channel, sender, kind)
    body = (draft.content_type, draft.level, draft.type, draft.content)
    after = (context, _request(draft.ack_level), now, draft.ttl_seconds)
    delivery_ids = []
    counters, messages, acks = [], [], []
    for agent_id, sequence in takers:
        delivery_id = scope.new_id()
        delivery_ids.append(delivery_id)
        counters.append((agent_id, sequence + 1))
        messages.append((delivery_id, *before, channel or agent_id, *body, sequence, *after, agent_id))
        acks.append((delivery_id, "queued", now))
        events.append(Event("message.send", message_id, delivery_id, agent_id, channel))
    tx.many("channels.set_sequence", counters)
    tx.many("channels.insert_delivery", messages)
    tx.many("channels.insert_ack", acks)
    return delivery_ids


@lru_cache(maxsize=8)
def _request(level: str) -> str:
    return compact({"request_level": level})


@lru_cache(maxsize=64)
def _sender(agent_id: str, session_id: str, name: str) -> str:
    return compact({"agent_id": agent_id, "session_id": session_id, "name": name})
