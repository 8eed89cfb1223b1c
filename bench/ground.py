"""The ground that a benchmark stands on: a database file in a folder of its own, and agents in it."""

from __future__ import annotations

import os
import shutil
import tempfile
from types import TracebackType
from typing import Self

import comity

CHANNEL = "main"
CONTENT = "I take src/parser.py now; please leave it alone until the tests of the lexer pass again. " * 3
DURABILITIES = ("normal", "full")


class Ground:
    """A temporary folder with one database file."""

    def __init__(self, folder: str | None = None, durability: str = "normal") -> None:
        self.folder = tempfile.mkdtemp(prefix="comity-bench-", dir=folder)
        self.path = os.path.join(self.folder, "bench.macp.db")
        self.durability = durability

    def agent(self, agent_id: str, channel: str = CHANNEL) -> comity.Workspace:
        """A workspace for one agent, registered and in its channel."""
        workspace = comity.open(
            self.path,
            agent_id=agent_id,
            agent_name=agent_id,
            session_id=f"session-{agent_id}",
            channel=channel,
            durability=self.durability,
        )
        workspace.session.start()
        return workspace

    def enrol(self, agent_ids: list[str], channel: str = CHANNEL) -> None:
        """Register agents that only receive."""
        for agent_id in agent_ids:
            self.agent(agent_id, channel).close()

    def close(self) -> None:
        """Remove everything."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
