"""Looks after mail that waits for whoever is away: extends it while it is urgent, and tells senders what is lost."""

from __future__ import annotations

from comity.loops.loop import Loop
from comity.workspace import Workspace


class Mail(Loop):
    """Looks every five to ten minutes. A look that finds nothing does not write."""

    name = "mail"
    period_s = 600.0

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace

    def look(self) -> None:
        """In small batches, until nothing is left."""
        while self._workspace.call("message.tend").more:
            continue
