"""Polling: what waits for an agent, within a byte budget (MACP v1.0 section 2.7).

An empty poll only reads (``look``); any other is one transaction that reads again (``poll``), so that two processes
of one agent are not handed the same row as new. Rows that nobody can read are set aside once: dropped, reported and
audited, their content kept.
"""

from __future__ import annotations

from functools import lru_cache

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact, read_object, read_strings
from comity.kernel.trace import traceparent
from comity.rooms.agents.model import DEFAULT_CONTEXT_BYTES
from comity.rooms.agents.sessions import require_session
from comity.rooms.channels import budget, deliveries
from comity.rooms.channels.model import TTL_S, AckRequest, Context, Delivery, Malformed, Polled, Sender

_SCAN_ROWS = 500  # pending deliveries considered by one poll, highest priority first


class Request(NamedTuple):
    """What the caller asked for; a ``budget_bytes`` of None means the session's own."""

    min_priority: int
    max_messages: int
    apply_budget_pruning: bool
    budget_bytes: int | None


def look(scope: Scope, request: Request) -> Polled | None:
    """The empty answer when nothing waits, else None."""
    row = scope.tx.one(
        "channels.something_waits",
        agent_id=scope.actor.agent_id,
        session_id=scope.actor.session_id,
        min_priority=request.min_priority,
        second=scope.now.second,
    )
    if row is None:
        require_session(scope)
    return Polled([], [], []) if row == (0,) else None


def poll(scope: Scope, request: Request) -> Polled:
    """Expire, select, prune, surface."""
    receiver = scope.tx.one("channels.receiver", agent_id=scope.actor.agent_id, session_id=scope.actor.session_id)
    if receiver is None:
        require_session(scope)
        receiver = (None, None)
    events: list[Event] = []
    expired = expire(scope, events)
    found, malformed = candidates(scope, request.min_priority, events)
    size = request.budget_bytes or _budget_of(receiver)
    if request.apply_budget_pruning:
        chosen = budget.select(found, request.max_messages, size, read_strings(receiver[0]) or (), scope.now)
    else:
        chosen = budget.Selection([c.delivery for c in found[: request.max_messages]], [], [])
    _audit_pruned(chosen.pruned, size, events)
    deliveries = _whole(scope, chosen.whole)
    deliveries += [_excerpt(scope, d, length) for d, length in chosen.excerpts]
    surface(scope, [d.delivery_id for d in deliveries if d.state == "queued"])  # the answer keeps the state it read
    scope.emit(*events)
    return Polled(deliveries, expired, [d.delivery_id for d in chosen.pruned], tuple(malformed))


def expire(scope: Scope, events: list[Event]) -> list[str]:
    """Let the actor's overdue deliveries expire; their ids. What is urgent and unread waits on and comes late."""
    agent_id = scope.actor.agent_id
    if scope.tx.one("channels.something_overdue", agent_id=agent_id, second=scope.now.second) is None:
        return []  # as nearly always, and a third of the cost
    rows = scope.tx.all("channels.expire", agent_id=agent_id, **deliveries.overdue(scope))
    return deliveries.expired(scope, [row for row in rows if row[4] == "expired"], events)


def candidates(scope: Scope, min_priority: int, events: list[Event]) -> tuple[list[budget.Candidate], list[Malformed]]:
    """Readable pending rows in priority order; unreadable ones are set aside."""
    agent_id = scope.actor.agent_id
    found = []
    bad: list[tuple[object, object, object, str]] = []
    rows = scope.tx.all("channels.pending", agent_id=agent_id, min_priority=min_priority, limit=_SCAN_ROWS)
    for row in rows:
        why = _fault(row)
        if why is not None:
            bad.append((row[0], row[1], row[2], why))
            continue
        candidate = _decode(scope, row)
        if isinstance(candidate, str):
            bad.append((row[0], row[1], row[2], candidate))
        else:
            found.append(candidate)
    for delivery_id, message_id, channel_id, state in scope.tx.all("channels.unknown_states", agent_id=agent_id):
        bad.append((delivery_id, message_id, channel_id, f"unknown state {state!r}"))
    return found, [_set_aside(scope, row, events) for row in bad]


def _set_aside(scope: Scope, row: tuple[object, object, object, str], events: list[Event]) -> Malformed:
    """Drop a row that cannot be handed out, and say so once. Its ids may be anything, too."""
    delivery_id, message_id, channel_id, why = row
    scope.tx.run("channels.set_aside", delivery_id=delivery_id, agent_id=scope.actor.agent_id)
    ids = [value if isinstance(value, str) else None for value in (message_id, delivery_id, channel_id)]
    detail: dict[str, object] = {"why": why[:200]}
    events.append(Event("message.malformed", ids[0], ids[1], scope.actor.agent_id, ids[2], "message.malformed", detail))
    return Malformed(str(delivery_id), why[:200])


def _fault(row: Row) -> str | None:
    """Why a row's plain columns cannot be used, or None."""
    priority, sequence, ttl, deadline = row[7], row[9], row[13], row[15]
    if {*map(type, (row[0], row[1], row[2] or "", *row[3:7], row[8], row[12]))} != {str}:
        return "a column that is not text"
    if priority not in (0, 1, 2, 3):
        return f"unknown priority {priority!r}"
    if deadline is None or not isinstance(ttl, int) or ttl < 1:
        return "unreadable time or time to live"
    if not isinstance(sequence, int):
        return "unreadable sequence number"
    return None


def _decode(scope: Scope, row: Row) -> budget.Candidate | str:
    """The row, its content only if short, or why it cannot be read."""
    sender, context, ack = _sender(row[3]), read_object(row[10]), _ack_request(row[11])
    if sender is None or context is None or ack is None:
        names = ("from_json", "context_json", "ack_json")
        bad = [name for name, value in zip(names, (sender, context, ack), strict=True) if value is None]
        return f"{' and '.join(bad)}: not a JSON object"
    size = context.get("payload_byte_size")
    if not isinstance(size, int) or size < 0:
        size = len(contents(scope, [row[0]]).get(row[0], "").encode("utf-8", "replace"))
    confidence = context.get("confidence")
    told = Context(
        _strings(context.get("relevance_tags")),
        confidence if isinstance(confidence, int | float) and 0 <= confidence <= 1 else 1,
        _strings(context.get("source_references")),
        size,
        traceparent(context.get("traceparent")),
    )
    content = row[16] if type(row[16]) is str else ""
    sent_ms = (row[15] - row[13]) * 1000 + _milliseconds(row[12])
    late = "waited" in context and scope.now.ms - sent_ms > TTL_S * 1000
    columns = (
        *row[:3],
        sender,
        *row[4:9],
        content,
        row[9],
        told,
        ack,
        *row[12:15],
        scope.actor.agent_id,
        False,
        0,
        late,
    )
    return budget.Candidate(Delivery._make(columns), sent_ms)


@lru_cache(maxsize=64)
def _sender(text: object) -> Sender | None:
    sender = read_object(text)
    return None if sender is None else Sender(*(str(sender.get(key, "")) for key in ("agent_id", "session_id", "name")))


@lru_cache(maxsize=64)
def _ack_request(text: object) -> AckRequest | None:
    ack = read_object(text)
    return None if ack is None else AckRequest(str(ack.get("request_level", "received")))


def _strings(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _milliseconds(timestamp: str) -> int:
    """The fraction of a second in ``…:SS.mmmZ``; 0 in any other form."""
    fraction = timestamp[20:23]
    return int(fraction) if len(fraction) == 3 and fraction.isdecimal() else 0


def _budget_of(receiver: Row) -> int:
    """The session's ``max_context_bytes``; the protocol's default when it names none that can be used."""
    value = (read_object(receiver[1]) or {}).get("max_context_bytes")
    return int(value) if isinstance(value, int | float) and value >= 0 else DEFAULT_CONTEXT_BYTES


def _audit_pruned(pruned: list[Delivery], size: int, events: list[Event]) -> None:
    for d in pruned:
        detail: dict[str, object] = {"budget_bytes": size, "payload_byte_size": d.context.payload_byte_size}
        events.append(
            Event(
                "message.prune",
                d.message_id,
                d.delivery_id,
                d.destination_agent_id,
                d.channel_id,
                "MACP_ERR_BUDGET_PRUNED",
                detail,
            )
        )


def contents(scope: Scope, delivery_ids: list[str]) -> dict[str, str]:
    """Contents by delivery id, in one read."""
    rows = scope.tx.all("channels.contents", delivery_ids=compact(delivery_ids)) if delivery_ids else []
    return {key: v.decode("utf-8", "replace") if isinstance(v, bytes) else str(v) for key, v in rows}


def _whole(scope: Scope, deliveries: list[Delivery]) -> list[Delivery]:
    texts = contents(scope, [d.delivery_id for d in deliveries if not d.content])
    return [d if d.content else d._replace(content=texts.get(d.delivery_id, "")) for d in deliveries]


def _excerpt(scope: Scope, delivery: Delivery, size: int) -> Delivery:
    """The beginning of the content in at most ``size`` bytes, marked as truncated."""
    row = scope.tx.one("channels.excerpt", delivery_id=delivery.delivery_id, characters=size)
    text = str(row[0]) if row is not None else ""
    cut = text.encode("utf-8", "replace")[:size].decode("utf-8", "ignore")
    return delivery._replace(content=cut, truncated=True, full_size_bytes=delivery.context.payload_byte_size)


def surface(scope: Scope, new: list[str]) -> None:
    """Mark queued deliveries as handed out."""
    if new:
        now = scope.now.iso
        scope.tx.many("channels.surface", [(delivery_id,) for delivery_id in new])
        scope.tx.many("channels.insert_ack", [(delivery_id, "received", now) for delivery_id in new])
