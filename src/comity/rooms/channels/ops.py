"""Operations of the bus: start a session, join and leave channels, send, poll, read, acknowledge."""

from __future__ import annotations

from comity.kernel.op import Wait, op
from comity.kernel.scope import Scope
from comity.rooms.agents.model import AgentId, ContextBytes, QueueLimit, Registration, Slug, Tags
from comity.rooms.channels import acknowledgements, arrivals, membership, poll, receipts, send
from comity.rooms.channels.model import (
    AckLevel,
    Acknowledged,
    BudgetBytes,
    ChannelId,
    Confidence,
    Content,
    ContentType,
    DeliveryId,
    Departure,
    Draft,
    Level,
    MaxMessages,
    Membership,
    MessageId,
    MessageType,
    Offset,
    Piece,
    PieceLength,
    Polled,
    Priority,
    Pruning,
    ReceiptLimit,
    Receipts,
    References,
    RelevanceTags,
    Sent,
    TtlSeconds,
    WaitMs,
)


@op("session.start", effect="write", example={"interest_tags": ["backend"]})
def start_session(
    scope: Scope,
    *,
    interest_tags: Tags | None = None,
    max_pending_messages: QueueLimit | None = None,
    max_context_bytes: ContextBytes | None = None,
    profile_slug: Slug | None = None,
) -> Registration:
    """Register this agent, or refresh it, and join its default channel.

    The newest registration of an agent wins: an older process of the same agent is told so by its next call. What is
    left out is as the agent was started (MACP v1.0 sections 2.2 and 2.3). A caller that a host started is the agent
    that its host's session is: the answer says which.
    """
    scope = arrivals.known(scope)
    return arrivals.start(scope, interest_tags, max_pending_messages, max_context_bytes, profile_slug)


@op("channel.join", effect="write", needs="session", example={"channel_id": "backend"})
def join_channel(scope: Scope, *, channel_id: ChannelId | None = None) -> Membership:
    """Join a channel, making it if it is new, and see who else is in it."""
    return membership.join(scope, channel_id)


@op("channel.leave", effect="write", needs="session", example={"channel_id": "backend"})
def leave_channel(scope: Scope, *, channel_id: ChannelId | None = None) -> Departure:
    """Leave a channel; its broadcasts no longer reach this agent."""
    return membership.leave(scope, channel_id)


@op("message.broadcast", effect="write", example={"content": "I start on the parser.", "priority": "steering"})
def broadcast_message(
    scope: Scope,
    *,
    content: Content,
    channel_id: ChannelId | None = None,
    priority: Priority = "advisory",
    type: MessageType = "discovery",
    relevance_tags: RelevanceTags | None = None,
    confidence: Confidence = 1,
    source_references: References | None = None,
    ttl_seconds: TtlSeconds | None = None,
    content_type: ContentType = "text/plain",
    ack_level: AckLevel = "received",
) -> Sent:
    """Send to every other agent in a channel.

    Each recipient gets a delivery of its own. One whose queue is full is named under ``refused`` and stops nobody
    else (MACP v1.0 section 2.5).
    """
    draft = Draft(
        content,
        priority,
        type,
        relevance_tags or [],
        confidence,
        source_references or [],
        ttl_seconds,
        content_type,
        ack_level,
    )
    return send.broadcast(scope, membership.chosen(scope, channel_id), draft)


@op(
    "message.send",
    effect="write",
    example={
        "destination_agent_id": "agent-2",
        "content": "Please review src/parser.py.",
        "priority": "steering",
    },
)
def send_message(
    scope: Scope,
    *,
    destination_agent_id: AgentId,
    content: Content,
    priority: Priority = "advisory",
    type: MessageType = "discovery",
    relevance_tags: RelevanceTags | None = None,
    confidence: Confidence = 1,
    source_references: References | None = None,
    ttl_seconds: TtlSeconds | None = None,
    content_type: ContentType = "text/plain",
    ack_level: AckLevel = "received",
) -> Sent:
    """Send to one agent."""
    draft = Draft(
        content,
        priority,
        type,
        relevance_tags or [],
        confidence,
        source_references or [],
        ttl_seconds,
        content_type,
        ack_level,
    )
    return send.send(scope, destination_agent_id, draft)


def _look(
    scope: Scope,
    *,
    min_priority: int = 0,
    max_messages: int = 10,
    apply_budget_pruning: bool = True,
    budget_bytes: int | None = None,
    wait_ms: int = 0,
) -> Polled | None:
    return poll.look(scope, poll.Request(min_priority, max_messages, apply_budget_pruning, budget_bytes))


def _nothing(polled: Polled) -> bool:
    return not (polled.deliveries or polled.expired_delivery_ids or polled.pruned_delivery_ids or polled.malformed)


@op("message.poll", effect="write", example={"max_messages": 5}, peek=_look, waits=Wait(_nothing, "actor"))
def poll_messages(
    scope: Scope,
    *,
    min_priority: Level = 0,
    max_messages: MaxMessages = 10,
    apply_budget_pruning: Pruning = True,
    budget_bytes: BudgetBytes | None = None,
    wait_ms: WaitMs = 0,
) -> Polled:
    """Fetch pending messages, most urgent first; acknowledge each once acted on.

    A delivery comes back on every poll until it is acknowledged or expires. One that is larger than the whole budget
    comes as an excerpt marked ``truncated``. With ``wait_ms`` an empty poll waits for something to arrive (MACP v1.0
    section 2.7).
    """
    return poll.poll(scope, poll.Request(min_priority, max_messages, apply_budget_pruning, budget_bytes))


@op(
    "message.read",
    effect="read",
    needs="session",
    example={"delivery_id": "0190d3f0-0000-7000-8000-000000000000", "length": 4000},
)
def read_message(scope: Scope, *, delivery_id: DeliveryId, offset: Offset = 0, length: PieceLength = 8000) -> Piece:
    """Read one delivery's whole content, in pieces if it is long."""
    return acknowledgements.read(scope, delivery_id, offset, length)


@op("message.ack", effect="write", example={"delivery_id": "0190d3f0-0000-7000-8000-000000000000"})
def acknowledge_message(scope: Scope, *, delivery_id: DeliveryId) -> Acknowledged:
    """Mark a delivery as processed, so that it does not come back."""
    return acknowledgements.acknowledge(scope, delivery_id)


@op("receipt.list", effect="read", example={"limit": 5})
def list_receipts(
    scope: Scope, *, message_id: MessageId | None = None, sender_id: AgentId | None = None, limit: ReceiptLimit = 10
) -> Receipts:
    """Show what became of your messages: queued, injected, seen or acknowledged, for each recipient.

    One message by its id, or the newest of a sender, who is the caller when left out. Seen means that the model has
    answered since the message stood in its context; acknowledged, that the agent said so itself.
    """
    return receipts.listed(scope, message_id, sender_id, limit)
