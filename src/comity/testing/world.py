"""A clock that is moved by hand and a small world of agents. Nothing is imitated but the time and the machines.

A world is a real database file in a temporary folder.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from types import TracebackType
from typing import Any, Self

from comity import Workspace
from comity.kernel.clock import Instant
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.observer import Observer, Presence, Sighting
from comity.kernel.scope import BLIND, Actor
from comity.rooms.agents.liveness import Watch
from comity.store.connection import BUSY_S, Durability
from comity.store.sqlite import SqliteStore

START_MS = 1_767_225_600_000  # 2026-01-01T00:00:00.000Z


class FakeClock:
    """A clock that stands still until it is moved. ``ms`` is the time in milliseconds since 1970."""

    def __init__(self, ms: int = START_MS) -> None:
        self.ms = ms

    def now(self) -> Instant:
        """The present moment."""
        return Instant.at(self.ms)

    def advance(self, seconds: float) -> Instant:
        """Move on by ``seconds`` (back, when negative); the new present moment."""
        self.ms += round(seconds * 1000)
        return self.now()


class FakeProcess:
    """A process of a ``FakeMachine``: what the agent in it reports, and what it sees of others."""

    def __init__(self, machine: FakeMachine, presence: Presence) -> None:
        self.machine = machine
        self.presence = presence
        self._watch = Watch()

    @property
    def pid(self) -> int:
        """Its process id on its machine."""
        assert self.presence.pid is not None
        return self.presence.pid

    def look(self, pid: int) -> Sighting:
        """What is at this pid of the machine."""
        return self.machine.processes.get(pid, Sighting("absent"))

    def above(self, pid: int) -> tuple[int, ...]:
        """As the machine has it in ``parents``."""
        found: list[int] = []
        while (parent := self.machine.parents.get(found[-1] if found else pid)) is not None:
            found.append(parent)
        return tuple(found)

    def steady_ms(self, now_ms: int) -> int:
        """By the machine's pace, which a jump of the clock does not change."""
        return self._watch.look(self.machine.pace_ms, now_ms)

    def introduce(self, program: str) -> None:
        """The agent's host says which program it is."""
        self.presence = self.presence._replace(program=program)


class FakeMachine:
    """A machine, or a container on it, whose processes are started and killed by hand.

    ``processes`` is what there is to see, by pid, ``parents`` who started whom; ``pace_ms`` its monotonic clock, which
    ``FakeClock`` does not move.
    """

    def __init__(self, name: str = "machine", boot_id: str = "boot-1", namespace: str = "pid:[1]") -> None:
        self.name, self.boot_id, self.namespace = name, boot_id, namespace
        self.processes: dict[int, Sighting] = {}
        self.parents: dict[int, int] = {}
        self.pace_ms = 0
        self._started = 0

    def start(self, pid: int | None = None, *, lease_s: int = 120, **facts: Any) -> FakeProcess:
        """A new process, for ``World.agent(observer=...)``; with a ``pid`` it may take that of one that is gone."""
        self._started += 1
        chosen = pid if pid is not None else 100 + self._started
        started = f"tick-{self._started}"
        self.processes[chosen] = Sighting("running", started)
        values = {"boot_id": self.boot_id, "namespace": self.namespace, "machine": self.name, **facts}
        return FakeProcess(self, Presence(chosen, started, lease_ms=lease_s * 1000, **values))

    def kill(self, process: FakeProcess) -> None:
        """The process is gone, and its pid is free."""
        del self.processes[process.pid]

    def end(self, process: FakeProcess) -> None:
        """The process has ended, and its parent has not noticed: a zombie."""
        self.processes[process.pid] = self.processes[process.pid]._replace(state="zombie")


class World:
    """One database file, one clock and any number of agents. Close it, or use it in a ``with`` statement.

    ``path`` is the database file; without it one is made in a temporary folder, which ``close`` removes. ``busy_s`` is
    how long a call waits for a lock that another program holds.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        clock: FakeClock | None = None,
        durability: Durability = "normal",
        busy_s: float = BUSY_S,
    ) -> None:
        self._folder = tempfile.mkdtemp(prefix="comity-world-") if path is None else None
        self.path = os.fspath(path) if path is not None else os.path.join(str(self._folder), "world.macp.db")
        self.clock = clock or FakeClock()
        self.store = SqliteStore(self.path, durability, busy_s)
        self._ids = TimeOrderedIds()
        self._sessions = 0

    def agent(self, agent_id: str, *, start: bool = True, observer: Observer | None = None, **fields: Any) -> Workspace:
        """The workspace of one agent, registered and in channel ``main`` unless ``start`` is false.

        ``fields`` are those of the actor: ``session_id``, ``name``, ``channel``, ``role``, ``interest_tags``,
        ``max_pending_messages``, ``max_context_bytes``. ``observer`` is the process that the agent lives in, from a
        ``FakeMachine``; without one it reports no presence. Every call is a process of its own: asking for the same
        agent again takes it over with a new session.
        """
        self._sessions += 1
        values = {"session_id": f"{agent_id}-session-{self._sessions}", "channel": "main", **fields}
        workspace = Workspace(
            self.store, Actor(agent_id, **values), clock=self.clock, ids=self._ids, observer=observer or BLIND
        )
        if start:
            workspace.session.start()
        return workspace

    def close(self) -> None:
        """Close the file, and remove it if it was temporary."""
        self.store.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
