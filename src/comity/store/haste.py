"""Haste: a thread that must not wait, such as an event loop's, is told at once that the file is locked.

While it lasts, a log that has grown long is also left as it is, since copying it takes a while; ``Haste.owes_tidying``
says so, and somebody who may wait does it (``SqliteStore.tidy``).
"""

from __future__ import annotations

import threading
from types import TracebackType


class Haste(threading.local):
    """One thread's haste."""

    active = False
    owes_tidying = False

    def __enter__(self) -> None:
        self.active = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.active = False


HASTE = Haste()
