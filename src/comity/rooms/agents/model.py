"""Records and argument types of agents and sessions."""

from __future__ import annotations

from comity.kernel.argument import Items, Number, Text
from comity.kernel.hints import Annotated
from comity.kernel.named_tuple import NamedTuple

AgentId = Annotated[str, Text("An agent's id, as the agent list shows it.", min=1, max=200)]
Tag = Annotated[str, Text("One tag.", max=200)]
Tags = Annotated[list[Tag], Items("Tags that rank messages for this agent.", max=64)]
QueueLimit = Annotated[int, Number("How many pending deliveries the agent's queue holds.", ge=1, le=100_000)]
ContextBytes = Annotated[int, Number("Byte budget of one poll.", ge=1, le=100_000_000)]
Slug = Annotated[str, Text("A profile's slug.", min=1, max=200)]
Reason = Annotated[str, Text("Why, for people to read.", max=2000)]

# What an operation says to a session that is not, or no longer, its agent's active one.
UNREGISTERED = ("MACP_ERR_SESSION_UNKNOWN", "MACP_ERR_SENDER_NOT_ACTIVE")
DEFAULT_QUEUE_LIMIT = 200
DEFAULT_CONTEXT_BYTES = 16384


class Registration(NamedTuple):
    """A session that is now the agent's active one."""

    agent_id: str
    session_id: str
    status: str
    profile_slug: str | None


class Renewed(NamedTuple):
    """Whether a session's lease was extended."""

    agent_id: str
    session_id: str
    renewed: bool


class Errand(NamedTuple):
    """A session that runs an errand, and the agent that it does that for."""

    agent_id: str
    parent_agent_id: str


class DeadAgent(NamedTuple):
    """An agent whose session is active and whose process is gone, and how that is known."""

    agent_id: str
    session_id: str
    how: str


class Dead(NamedTuple):
    """Everybody who is known to be dead. ``in_line``: somebody stands in line for files."""

    agents: list[DeadAgent]
    in_line: bool = False
