"""Haste: a thread that must not wait, such as an event loop's, is told at once that another writes.

While it lasts, a store also leaves its own upkeep that takes a while to another thread.
"""

from __future__ import annotations

import threading
from types import TracebackType


class Haste(threading.local):
    """One thread's haste."""

    active = False

    def __enter__(self) -> None:
        self.active = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.active = False


HASTE = Haste()
