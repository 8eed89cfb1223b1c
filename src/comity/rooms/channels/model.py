"""Records and argument types of channels, messages and deliveries (MACP v1.0 sections 1.6 and 2.7)."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple

MAX_CONTENT = 1_000_000  # characters
DAY_S = 86_400
TTL_S = 3600  # when the sender sets none
MAX_TTL_S = 315_360_000  # ten years; beyond year 9999 a row would be invisible for ever (reference K-20)

ChannelId = Annotated[str, Text("A channel's id; the default channel when left out.", min=1, max=200)]
Content = Annotated[str, Text("The message.", min=1, max=MAX_CONTENT)]
Priority = Annotated[
    Literal[0, 1, 2, 3, "info", "advisory", "steering", "interrupt"], Note("How urgent; interrupt always gets through.")
]
Level = Annotated[Literal[0, 1, 2, 3], Note("Nothing less urgent: 0 info, 1 advisory, 2 steering, 3 interrupt.")]
Pruning = Annotated[bool, Note("Keep to the byte budget; false returns whatever is pending.")]
MessageType = Annotated[str, Text("A free label.", min=1, max=100)]
RelevanceTags = Annotated[
    list[Annotated[str, Text(max=200)]], Items("What it is about; recipients rank by shared tags.", max=64)
]
References = Annotated[list[Annotated[str, Text(max=2000)]], Items("Where it comes from: paths, URLs.", max=64)]
Confidence = Annotated[float, Number("How sure the sender is.", ge=0, le=1)]
TtlSeconds = Annotated[
    int, Number("Seconds until it expires unread; an hour when left out, longer when urgent.", ge=1, le=MAX_TTL_S)
]
ContentType = Annotated[Literal["text/plain", "application/json"], Note("JSON content is checked.")]
AckLevel = Annotated[Literal["received", "queued", "processed"], Note("The acknowledgement that the sender wants.")]
MaxMessages = Annotated[int, Number("How many deliveries to return at most.", ge=1, le=1000)]
BudgetBytes = Annotated[int, Number("Bytes of content to return at most.", ge=1, le=100_000_000)]
WaitMs = Annotated[int, Number("Milliseconds to wait for something to arrive.", ge=0, le=60_000)]
DeliveryId = Annotated[str, Text("A delivery's id, from a poll.", min=1, max=200)]
MessageId = Annotated[str, Text("A message's id, as sending answered it.", min=1, max=200)]
ReceiptLimit = Annotated[int, Number("How many messages at most.", ge=1, le=200)]
Offset = Annotated[int, Number("First character to return.", ge=0, le=1_000_000_000)]
PieceLength = Annotated[int, Number("How many characters to return at most.", ge=1, le=100_000)]
Sequence = Annotated[int, Number("Only what came after this number.", ge=0, le=2**63 - 1)]
HistoryLimit = Annotated[int, Number("How many messages to return at most.", ge=1, le=500)]
Newest = Annotated[bool, Note("The newest messages instead of the oldest.")]

PRIORITIES = ("info", "advisory", "steering", "interrupt")


class Membership(NamedTuple):
    """A channel and who else is in it."""

    channel_id: str
    peer_agent_ids: list[str]


class Departure(NamedTuple):
    """A channel that was left; ``left`` is false when the agent was not in it."""

    channel_id: str
    left: bool


class Refusal(NamedTuple):
    """A recipient who did not get a message, and why: a ``MACP_ERR_*`` code."""

    agent_id: str
    reason_code: str
    message: str


class Waiting(NamedTuple):
    """A recipient that does not see a message now: it is ``idle``, or ``away`` since nothing shows that it lives.

    ``since``: for how long. ``seen_at``: when it will see the message; ``woken_by``: what makes that sooner; ``until``:
    when the message expires.
    """

    agent_id: str
    state: str
    since: str
    seen_at: str
    woken_by: str
    until: str


class Sent(NamedTuple):
    """One send: a message id, and a delivery for each recipient, in the same order.

    ``repeated``: the same was sent a moment ago; that is what is answered, and nothing was sent again. ``waiting``:
    those of the recipients who do not see it now.
    """

    message_id: str
    delivery_ids: list[str]
    recipient_agent_ids: list[str]
    refused: tuple[Refusal, ...] = ()
    repeated: bool = False
    waiting: tuple[Waiting, ...] = ()


class Announced(NamedTuple):
    """A message to a channel: its number there, how many got it, and who was mentioned and told directly.

    ``refused``: whose queue had no room. ``repeated``: the same was said a moment ago, and nothing was sent again.
    ``waiting``: those of the recipients who do not see it now.
    """

    message_id: str
    seq: int
    channel_id: str
    recipients: int
    mentioned: list[str]
    unknown_mentions: list[str]
    refused: tuple[Refusal, ...] = ()
    repeated: bool = False
    waiting: tuple[Waiting, ...] = ()


class ChannelMessage(NamedTuple):
    """Something said in a channel, with its number. ``mentions`` are as they are written; ``cut``: there is more."""

    seq: int
    message_id: str
    from_agent_id: str
    from_name: str
    content: str
    priority: str
    created_at: str
    mentions: list[str]
    cut: bool = False


class ChannelHistory(NamedTuple):
    """What was said in a channel, oldest first. ``cursor`` goes on after it; ``latest_seq`` is the newest message."""

    messages: list[ChannelMessage]
    cursor: int
    latest_seq: int


class DirectMessage(NamedTuple):
    """Something said to one agent alone. ``cut``: ``message.read`` has the rest.

    A ``notice`` from ``comity`` is from Comity itself: what others wrote under that name is told as a ``message``.
    """

    delivery_id: str
    message_id: str
    from_agent_id: str
    from_name: str
    content: str
    priority: str
    type: str
    created_at: str
    cut: bool = False


class CaughtUp(NamedTuple):
    """What was said in a channel, oldest first, and to the reader alone, the urgent first.

    ``cursor`` goes on after the channel's messages; ``latest_seq`` is the newest of them.
    """

    messages: list[ChannelMessage]
    cursor: int
    latest_seq: int
    direct: tuple[DirectMessage, ...] = ()


class Draft(NamedTuple):
    """A message before it has recipients. ``ttl_seconds`` None: the sender leaves open how long it waits unread."""

    content: str
    priority: int | str
    type: str
    relevance_tags: list[str]
    confidence: float
    source_references: list[str]
    ttl_seconds: int | None
    content_type: str
    ack_level: str

    @property
    def level(self) -> int:
        """The priority as a number, 0 to 3."""
        return self.priority if isinstance(self.priority, int) else PRIORITIES.index(self.priority)


class Sender(NamedTuple):
    """Who sent a message."""

    agent_id: str
    session_id: str
    name: str


class Context(NamedTuple):
    """What a message is about; ``payload_byte_size`` is the UTF-8 length of the whole content.

    ``traceparent``: the trace in which it was sent, if somebody traced (W3C Trace Context).
    """

    relevance_tags: list[str]
    confidence: float
    source_references: list[str]
    payload_byte_size: int
    traceparent: str = ""


class AckRequest(NamedTuple):
    """The acknowledgement that the sender asked for."""

    request_level: str


class Delivery(NamedTuple):
    """One message for one recipient. ``truncated`` marks an excerpt: ``message.read`` fetches the whole.

    ``late``: it waited unread beyond the time that messages have by default.
    """

    delivery_id: str
    message_id: str
    channel_id: str | None
    from_: Sender
    destination_type: str
    to: str
    content_type: str
    priority: int
    type: str
    content: str
    sequence_number: int
    context: Context
    ack: AckRequest
    timestamp: str
    ttl_seconds: int
    state: str
    destination_agent_id: str
    truncated: bool = False
    full_size_bytes: int = 0
    late: bool = False


class Malformed(NamedTuple):
    """A row that could not be read and was set aside; its content is still there for ``message.read``."""

    delivery_id: str
    why: str


class Tended(NamedTuple):
    """How many unread deliveries wait on, and how many have expired. ``more``: others are left."""

    renewed: int = 0
    expired: int = 0
    more: bool = False


class Polled(NamedTuple):
    """What a poll found."""

    deliveries: list[Delivery]
    expired_delivery_ids: list[str]
    pruned_delivery_ids: list[str]
    malformed: tuple[Malformed, ...] = ()


class Receipt(NamedTuple):
    """What became of a message for one recipient.

    ``state`` is queued, surfaced (a poll handed it out), injected (written into the agent's context), seen (the model
    has answered since), acknowledged (by the agent itself), expired or dropped. ``cut``: injected in part.
    """

    delivery_id: str
    agent_id: str
    agent_name: str
    state: str
    injected_at: str | None = None
    seen_at: str | None = None
    cut: bool = False


class SentMessage(NamedTuple):
    """A message that was sent: when, to which channel, how it begins, and what became of it."""

    message_id: str
    timestamp: str
    channel_id: str | None
    from_agent_id: str
    excerpt: str
    receipts: list[Receipt]


class Receipts(NamedTuple):
    """Messages, the newest first."""

    messages: list[SentMessage]


class Piece(NamedTuple):
    """A piece of one delivery's content, in characters; ``next_offset`` is null at the end."""

    delivery_id: str
    content: str
    offset: int
    next_offset: int | None
    total_characters: int
    full_size_bytes: int
    state: str


class Acknowledged(NamedTuple):
    """A delivery that counts as processed."""

    delivery_id: str
    state: str
