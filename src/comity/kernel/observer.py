"""The observer of processes: the facts that sessions report, and a look at the process that they name.

The observer is a port as the clock is: ``comity.process`` looks at this machine, ``comity.testing`` at an invented one.
Rules that decide from what it saw are in ``comity.rooms.agents.liveness``.
"""

from __future__ import annotations

from comity.kernel.hints import Literal, Protocol
from comity.kernel.named_tuple import NamedTuple


class Presence(NamedTuple):
    """Where a session runs, as other processes can check it. Empty text is what is not known.

    ``started`` tells the process from later ones with its pid; ``boot_id`` and ``namespace`` say among which processes
    the pid counts. ``program`` and ``host_session_id`` are those of the agent's host, ``machine`` a machine's name.
    Without a pid there is only the lease.
    """

    pid: int | None = None
    started: str = ""
    boot_id: str = ""
    namespace: str = ""
    machine: str = ""
    program: str = ""
    host_session_id: str = ""
    worktree: str = ""
    lease_ms: int = 120_000


class Sighting(NamedTuple):
    """What is at a pid now, and when that was started (empty when unknown)."""

    state: Literal["running", "zombie", "absent", "unknown"]
    started: str = ""


class Observer(Protocol):
    """The calling process: its own presence (None: it reports none), and its view of others."""

    @property
    def presence(self) -> Presence | None: ...

    def look(self, pid: int) -> Sighting:
        """What is at this pid, among the processes that this one sees. Quick: it may run in a transaction."""

    def above(self, pid: int) -> tuple[int, ...]:
        """The processes above this one, its parent first, as far as they can be seen. Quick as ``look``."""

    def steady_ms(self, now_ms: int) -> int:
        """For how long this process has looked on without a gap and without a jump of the clock."""

    def introduce(self, program: str) -> None:
        """The agent's host says which program it is."""


class Blind:
    """An observer that reports nothing and sees nothing."""

    presence: Presence | None = None

    def look(self, pid: int) -> Sighting:  # noqa: ARG002 (the port's shape)
        """Nothing is known."""
        return Sighting("unknown")

    def above(self, pid: int) -> tuple[int, ...]:  # noqa: ARG002 (the port's shape)
        """Nothing is known."""
        return ()

    def steady_ms(self, now_ms: int) -> int:  # noqa: ARG002 (the port's shape)
        """It has never looked."""
        return 0

    def introduce(self, program: str) -> None:
        """No facts: nothing was asked."""
