"""Records and argument types of an agent's turns."""

from __future__ import annotations

from comity.kernel.argument import Items, Note, Number, Text
from comity.kernel.hints import Annotated, Literal
from comity.kernel.named_tuple import NamedTuple

Tokens = Annotated[int, Number("About how many tokens to say at most.", ge=20, le=20_000)]
Moved = Annotated[bool, Note("The model has answered since the last injection.")]
Prompted = Annotated[bool, Note("The user spoke: a subagent that was interrupted is silent from now on.")]
Asking = Annotated[bool, Note("Whether the agent can be kept going; else it is only noted what it has seen.")]
Rests = Annotated[bool, Note("The turn is over: the agent is idle until its next prompt or tool.")]
Watcher = Annotated[str, Text("Who waits beside the session, by an id of its own; empty: whoever asks.", max=200)]
Least = Annotated[Literal["steering", "interrupt"], Note("The lowest priority that wakes an idle agent.")]
Registering = Annotated[bool, Note("Begin a session for it when it has none.")]
Process = Annotated[str, Text("A process above the program, as pid and start: 4711:82301.", min=1, max=100)]
Processes = Annotated[list[Process], Items("The processes above the program, nearest first.", max=64)]
HostName = Annotated[str, Text("An agent host whose variable names a session; empty: there is none.", max=200)]
HostSessionId = Annotated[str, Text("The session that the host's variable names; empty: there is none.", max=200)]
Terminal = Annotated[bool, Note("The program's input is a terminal.")]
Source = Annotated[Literal["startup", "resume", "clear", "compact"], Note("Why the context begins anew.")]
InjectionId = Annotated[str, Text("An injection's id, as the digest names it.", min=1, max=200)]

BRIEF_TOKENS = 300
TURN_TOKENS = 150
LEASE_MS = 10_000  # for writing a digest out; a hook that takes longer died
WAKES_PER_HOUR = 12  # of one session
WAKE_LASTS_MS = 600_000  # after which a wake that set nothing going does not keep new messages from waking
REMIND_MS = 600_000  # between two reminders of what still waits for the agent


class Digest(NamedTuple):
    """Text for the agent's context, empty when there is nothing to say.

    Once it is written out, ``turn.written`` with ``injection_id`` makes its deliveries count as surfaced.
    """

    text: str = ""
    injection_id: str = ""
    delivery_ids: list[str] = []
    waiting: int = 0


class Written(NamedTuple):
    """How many deliveries of an injection count as surfaced now."""

    injection_id: str
    surfaced: int


class Identity(NamedTuple):
    """The agent that a session of a host is, its active session if it has one, and its name."""

    agent_id: str
    session_id: str
    name: str = ""


class Watched(NamedTuple):
    """Whose messages a watcher waits for; empty when the session is over."""

    agent_id: str


class Wake(NamedTuple):
    """What to wake an idle agent with, empty when it is not to be woken now.

    ``over``: there is nothing to wait for any more, since the session ended or somebody else waits beside it.
    """

    text: str = ""
    resting: bool = False
    over: bool = False
