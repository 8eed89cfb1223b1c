"""Writes down now and then what requests must not wait for: which tokens were used."""

from __future__ import annotations

from collections.abc import Callable

from comity.loops.loop import Loop


class Noting(Loop):
    """Looks about once a minute, and a last time when it is stopped."""

    name = "noting"
    period_s = 60.0
    jitter = 0.1

    def __init__(self, note: Callable[[], object]) -> None:
        super().__init__()
        self._note = note

    def look(self) -> None:
        """Note what there is; without use of tokens nothing is written."""
        self._note()

    def stop(self) -> None:
        """End, with a last look."""
        super().stop()
        self.once()
