"""Records and argument types of an agent's turns."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

from comity.kernel.argument import Note, Number, Text

Tokens = Annotated[int, Number("About how many tokens to say at most.", ge=20, le=20_000)]
Moved = Annotated[bool, Note("The model has answered since the last injection.")]
Source = Annotated[Literal["startup", "resume", "clear", "compact"], Note("Why the context begins anew.")]
InjectionId = Annotated[str, Text("An injection's id, as the digest names it.", min=1, max=200)]
MessageId = Annotated[str, Text("A message's id, as sending answered it.", min=1, max=200)]

BRIEF_TOKENS = 300
TURN_TOKENS = 150


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
    """The agent that a session of a host is, and its active session."""

    agent_id: str
    session_id: str
