"""Records and argument types of an agent's turns."""

from typing import Annotated, Literal, NamedTuple

from comity.kernel.argument import Note, Number, Text

Tokens = Annotated[int, Number("About how many tokens to say at most.", ge=20, le=20_000)]
Moved = Annotated[bool, Note("The model has answered since the last injection.")]
Asking = Annotated[bool, Note("Whether the agent can be kept going; else it is only noted what it has seen.")]
Registering = Annotated[bool, Note("Begin a session for it when it has none.")]
Source = Annotated[Literal["startup", "resume", "clear", "compact"], Note("Why the context begins anew.")]
InjectionId = Annotated[str, Text("An injection's id, as the digest names it.", min=1, max=200)]

BRIEF_TOKENS = 300
TURN_TOKENS = 150
LEASE_MS = 10_000  # for writing a digest out; a hook that takes longer died
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
