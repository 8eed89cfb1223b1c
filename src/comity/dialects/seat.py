"""A Seat: whose calls these are. A dialect asks it for the agent's workspace and never learns how it was found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from comity.kernel.scope import Actor
from comity.workspace import Workspace

NO_META: Mapping[str, Any] = {}


class Seat(Protocol):
    """One session of a client. Thread-safe: several calls of a session may run at once."""

    @property
    def bound(self) -> Actor | None:
        """The agent that the session is; None before it is one."""

    def of(self, meta: Mapping[str, Any]) -> Workspace:
        """The workspace of whoever makes a call with this ``_meta``.

        A session that is no agent yet becomes one first, named after the client's program. Raises Problem.
        """

    def look(self, meta: Mapping[str, Any]) -> Workspace:
        """The same for a call that only reads: a session that is no agent yet looks as a spectator and becomes none."""

    def join(self, name: str, meta: Mapping[str, Any] = NO_META) -> Workspace:
        """Be an agent called ``name``, or as near to it as is free; the same one when the session is one already."""

    def end(self, reason: str) -> None:
        """The session is over. What fails here is left to the others' liveness checks."""
