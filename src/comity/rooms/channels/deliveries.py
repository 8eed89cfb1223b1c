"""Deliveries as rows: a message in a recipient's queue, and room for it. What may be sent is decided elsewhere.

Apart from ``channels.send``, so that hooks load little more than this for a word of Comity itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from comity.kernel.event import Event
from comity.kernel.quoting import called, quoted
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, number, read_object
from comity.kernel.trace import TRACEPARENT
from comity.rooms.channels.model import DAY_S, TTL_S, Delivery, Draft, Sender

SPEAKER = "comity"  # who speaks when nobody of the agents does
NOTICE = "notice"
_TOLD_S = 86_400  # for which a sender can read that its message expired
_NAMED, _EXCERPT = 5, 60  # messages that one notice names, and characters of each
_ITSELF = Sender(SPEAKER, SPEAKER, SPEAKER)


def notice(scope: Scope, recipient: Row, text: str, priority: str, ttl_s: int) -> bool:
    """A word of Comity itself, when there is room for it."""
    agent_id, limit, pending, sequence = recipient[:4]
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
        now_ms=scope.now.ms,
        sender_id=scope.actor.agent_id,
        session_id=scope.actor.session_id,
    )


def overdue(scope: Scope) -> dict[str, int]:
    """What tells deliveries that are overdue, and of those the urgent ones that wait on: see ``channels.lasts``."""
    return {"second": scope.now.second, "mail_s": scope.actor.mail_days * DAY_S}


def expired(scope: Scope, rows: list[Row], events: list[Event]) -> list[str]:
    """The ids of deliveries that have expired just now. What nobody has read is told to its sender, once."""
    lost: dict[str, dict[str, list[Row]]] = {}
    for row in rows:
        delivery_id, message_id, channel_id, agent_id, _, sent_by, _, read = row
        events.append(Event("message.expire", message_id, delivery_id, agent_id, channel_id, "MACP_ERR_TTL_EXPIRED"))
        sender = (read_object(sent_by) or {}).get("agent_id")
        if not read and isinstance(sender, str) and sender != agent_id:
            lost.setdefault(sender, {}).setdefault(message_id, []).append(row)
    for sender, messages in lost.items():
        tell(scope, sender, _loss(list(messages.values())), "advisory", _TOLD_S)
    return [row[0] for row in rows]


def tell(scope: Scope, agent_id: str, text: str, priority: str, ttl_s: int) -> None:
    """A word of Comity itself to an agent, whoever acts; nothing when that agent is not active, or its queue is full.

    ``ttl_s``: for how many seconds it waits.
    """
    params = {"agent_id": agent_id, "second": scope.now.second, "now_ms": scope.now.ms}
    for reader in scope.tx.all("channels.direct_recipient", **params, sender_id=None, session_id=None):
        notice(scope, reader, text, priority, ttl_s)


def _loss(messages: list[list[Row]]) -> str:
    """What a sender is told of its messages, each with its lost deliveries."""
    parts = [f"to {_names(row[3] for row in rows)}: {quoted(rows[0][6], _EXCERPT)}" for rows in messages[:_NAMED]]
    left = len(messages) - len(parts)
    count = "A message of yours" if len(messages) == 1 else f"{len(messages)} messages of yours"
    more = f"; and {left} more (`receipt.list`)" if left else ""
    return f"{count} expired unread, {'; '.join(parts)}{more}. Say again what still holds."


def _names(agent_ids: Iterable[str]) -> str:
    names = list(dict.fromkeys(map(called, agent_ids)))
    left = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {left} others" if left > 0 else "")


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
    *,
    acknowledged: bool = False,
) -> list[str]:
    """Write a delivery for each taker, who comes with its next sequence number.

    ``acknowledged``: it counts as processed at once, as the sender's own copy does.
    """
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
            **({"ttl_given": 1} if draft.ttl_seconds == TTL_S else {}),
        }
    )
    ttl_s = draft.ttl_seconds or TTL_S
    before = (message_id, channel, sender, kind)
    body = (draft.content_type, draft.level, draft.type, draft.content)
    after = (context, _request(draft.ack_level), now, ttl_s)
    delivery_ids = []
    counters, messages, acks = [], [], []
    for agent_id, sequence in takers:
        delivery_id = scope.new_id()
        delivery_ids.append(delivery_id)
        counters.append((agent_id, sequence + 1))
        messages.append((delivery_id, *before, channel or agent_id, *body, sequence, *after, agent_id))
        acks.append((delivery_id, "queued", now))
        events.append(Event("message.send", message_id, delivery_id, agent_id, channel))
        if acknowledged:
            acks.append((delivery_id, "processed", now))
            events.append(Event("message.ack", message_id, delivery_id, agent_id, channel))
    tx.many("channels.set_sequence", counters)
    tx.many("channels.insert_delivery_acknowledged" if acknowledged else "channels.insert_delivery_queued", messages)
    tx.many("channels.insert_ack", acks)
    return delivery_ids


@lru_cache(maxsize=8)
def _request(level: str) -> str:
    return compact({"request_level": level})


@lru_cache(maxsize=64)
def _sender(agent_id: str, session_id: str, name: str) -> str:
    return compact({"agent_id": agent_id, "session_id": session_id, "name": name})
