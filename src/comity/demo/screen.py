"""What the performance tells its spectator, if there is one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self

from comity.demo.board import Board, Fact
from comity.demo.cast import Priority
from comity.kernel.named_tuple import NamedTuple


class Said(NamedTuple):
    """One message as the log has it; ``to`` is an agent id, or None for everybody else."""

    at_ms: int
    priority: Priority
    sender: str
    to: str | None
    text: str


class Refusal(NamedTuple):
    """The answer to a claim of a file that somebody holds, as the agent got it."""

    agent_id: str
    file: str
    holder: str
    reason: str
    age_seconds: int
    expires_at: str
    message: str
    hint: str

    @classmethod
    def read(cls, agent_id: str, answer: dict[str, Any]) -> Self:
        """From the tool's answer; of several holders the first."""
        first = answer["metadata"]["conflicts"][0]
        held = (first["filePath"], first["agentId"], first.get("reason", ""), first["ageSeconds"], first["expiresAt"])
        return cls(agent_id, *held, answer["message"], answer["hint"])


class Screen(Protocol):
    """A spectator."""

    def cast(self, processes: Mapping[str, int], board: Board, origin_ms: int) -> None:
        """Everybody is connected. ``processes``, 0 for dead agents, and ``board`` go on telling how things are."""

    def happened(self, fact: Fact) -> None:
        """Something is in the log, and on the board."""

    def said(self, message: Said, deliveries: int) -> None:
        """A message is in the file, with so many deliveries."""

    def acknowledged(self) -> None:
        """A delivery was acknowledged."""

    def refused(self, refusal: Refusal) -> None:
        """A claim was refused, and somebody waits."""

    def handed_over(self, agent_id: str, number: str, title: str, note: str) -> None:
        """An agent goes on with what another one left."""

    def died(self, agent_id: str, process: int, *, killed: bool) -> None:
        """A server process is gone; ``killed`` when that was the plan."""

    def returned(self, agent_id: str, waited: int) -> None:
        """A new process took the agent over and found so many messages."""


class Nobody:
    """Looks at nothing."""

    def cast(self, processes: Mapping[str, int], board: Board, origin_ms: int) -> None:
        pass

    def happened(self, fact: Fact) -> None:
        pass

    def said(self, message: Said, deliveries: int) -> None:
        pass

    def acknowledged(self) -> None:
        pass

    def refused(self, refusal: Refusal) -> None:
        pass

    def handed_over(self, agent_id: str, number: str, title: str, note: str) -> None:
        pass

    def died(self, agent_id: str, process: int, *, killed: bool) -> None:
        pass

    def returned(self, agent_id: str, waited: int) -> None:
        pass
