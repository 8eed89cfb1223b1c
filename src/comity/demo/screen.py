"""What the performance tells its spectator, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from comity.demo.cast import Priority


class Said(NamedTuple):
    """One message as the log has it; ``to`` is an agent id, or None for everybody else."""

    at_s: float
    priority: Priority
    sender: str
    to: str | None
    text: str


class Screen(Protocol):
    """A spectator. ``at_s`` are seconds since the start."""

    def cast(self, processes: Mapping[str, int]) -> None:
        """Everybody is connected. ``processes`` goes on telling each agent's process id; 0 while it is dead."""

    def said(self, message: Said, deliveries: int) -> None:
        """A message is in the file, with so many deliveries."""

    def acknowledged(self) -> None:
        """A delivery was acknowledged."""

    def died(self, at_s: float, agent_id: str, process: int, *, killed: bool) -> None:
        """A server process is gone; ``killed`` when that was the plan."""

    def returned(self, at_s: float, agent_id: str, waited: int) -> None:
        """A new process took the agent over and found so many messages."""


class Nobody:
    """Looks at nothing."""

    def cast(self, processes: Mapping[str, int]) -> None:
        pass

    def said(self, message: Said, deliveries: int) -> None:
        pass

    def acknowledged(self) -> None:
        pass

    def died(self, at_s: float, agent_id: str, process: int, *, killed: bool) -> None:
        pass

    def returned(self, at_s: float, agent_id: str, waited: int) -> None:
        pass
