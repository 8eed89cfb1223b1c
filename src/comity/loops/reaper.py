"""The reaper: says that its own session lives, and frees what dead agents held.

Every living server runs one. A look is one read of the presences and a glance at each process; only who finds a dead
agent writes. Whoever comes second finds nothing to do: the operation decides anew in its own transaction.
"""

from __future__ import annotations

from comity.loops.loop import Loop
from comity.workspace import Workspace


class Reaper(Loop):
    """Looks every one and a half to three seconds, so that a killed agent's work is free within five."""

    name = "reaper"
    period_s = 3.0

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    def look(self) -> None:
        """Renew the own lease when a quarter of it is over; reap while there is somebody dead; serve who is in line."""
        self._workspace.renew_if_due()
        seen = self._workspace.call("agent.dead")
        if seen.agents:  # only whoever reaps loads the rooms that it concerns
            while self._workspace.call("agent.reap", {"certain": True}).more:
                continue
        if seen.in_line:
            self._workspace.call("claim.settle")
