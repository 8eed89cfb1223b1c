"""Records and argument types of the workspace as a whole."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from comity.kernel.argument import Items, Note, Number, Text

Cursor = Annotated[str, Text("Where to go on, from the last answer; empty for the beginning.", max=40)]
EventLimit = Annotated[int, Number("How many events to return at most.", ge=1, le=1000)]
Newest = Annotated[int, Number("Begin with this many of the newest events instead.", ge=0, le=1000)]
EventTypes = Annotated[list[Annotated[str, Text(max=100)]], Items("Only these kinds, such as message.send.", max=50)]
DryRun = Annotated[bool, Note("Only count what would be removed.")]
Days = Annotated[float, Number("Age in days.", ge=0, le=36500)]
PruneLimit = Annotated[int, Number("How many rows of each kind to remove at most.", ge=1, le=100_000)]


class AgentOverview(NamedTuple):
    """An agent with an active session (reference section 4.2), and what was last heard of it."""

    agent_id: str
    name: str
    session_id: str
    registered_at: str
    status: str
    profile_slug: str | None
    channels: list[str]
    interest_tags: list[str]
    max_pending_messages: int
    pending_deliveries: int
    active_claims: int
    role: str | None = None
    max_context_bytes: int | None = None


class Agents(NamedTuple):
    """Every agent with an active session."""

    agents: list[AgentOverview]


class LoggedEvent(NamedTuple):
    """One row of the audit log; for messages also who sent it, how urgent it is and how it begins."""

    id: int
    event_type: str
    timestamp: str
    reason_code: str
    agent_id: str | None
    channel_id: str | None
    message_id: str | None
    delivery_id: str | None
    metadata: dict[str, object]
    from_agent_id: str | None = None
    from_name: str | None = None
    priority: int | None = None
    excerpt: str | None = None


class Events(NamedTuple):
    """A page of the log and the cursor to go on with."""

    events: list[LoggedEvent]
    cursor: str


class Pending(NamedTuple):
    """Live pending deliveries by priority."""

    total: int
    interrupt: int
    steering: int
    advisory: int
    info: int


class Status(NamedTuple):
    """What the workspace holds; ``deliveries`` and ``events`` count from the oldest row that is kept."""

    project_id: str
    agents: int
    channels: int
    pending: Pending
    deliveries: int
    events: int
    oldest_event: str | None


class Pruned(NamedTuple):
    """What was removed, or would be; ``more`` says that another call has more to do."""

    expired: int
    messages: int
    events: int
    claims: int
    more: bool
    dry_run: bool


class Guide(NamedTuple):
    """How to work with the bus, for this agent."""

    instructions: str
