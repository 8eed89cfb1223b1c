"""Removes what is finished and old, so that a file which a server keeps for months does not grow without end."""

from __future__ import annotations

from comity.loops.loop import Loop
from comity.workspace import Workspace

BATCH = 500  # rows of each kind at once: other writers wait a few milliseconds at most
_PAUSE_S = 0.1


class Retention(Loop):
    """Looks every ten minutes or so. A look that finds nothing does not write."""

    name = "retention"
    period_s = 600.0

    def __init__(self, workspace: Workspace, days: float) -> None:
        super().__init__()
        self._workspace = workspace
        self._days = days

    def look(self) -> None:
        """Remove in small batches, with a pause after each, until nothing is left or the loop is stopped."""
        found = self._workspace.workspace.prune(older_than_days=self._days, dry_run=True)
        if not (found.expired or found.messages or found.events or found.claims):
            return
        while self._workspace.workspace.prune(older_than_days=self._days, limit=BATCH).more:
            if self._stop.wait(_PAUSE_S):
                return
