"""When the write-ahead log goes back into the database file.

SQLite's own way is a passive checkpoint at every commit once the log is long. Under many writers it never catches up:
frames are appended while it copies, so the log is never begun anew, and from then on each commit syncs the disk twice
while the log, and the cost of looking into it, grow without bound. Here the writer that finds the log long copies it
under the write lock, if that is free at this instant, so that the next writer begins the log anew; if not, it copies
what it can and leaves the rest to a later commit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import apsw

from comity.store.haste import HASTE
from comity.system.deadline import DEADLINE

Sound = Callable[[int], bool]  # whether a log of so many frames is still the database's, and whole
_LONG_PAGES = 1000  # 4 MiB
_AGAIN_PAGES = 100


class Term:
    """What holds for one connection's transaction: until when it may take, by the machine's own pace, and how many
    frames of the log counted with its commit; 0 if it wrote nothing.
    """

    __slots__ = ("frames", "until")

    def __init__(self) -> None:
        self.until = float("inf")
        self.frames = 0

    def over(self) -> bool:
        """Whether its time has passed, or whatever this process does has to be over."""
        return time.monotonic() > self.until or DEADLINE.over


def checkpoints(
    patience: Callable[[int], bool], sound: Sound | None, term: Term
) -> Callable[[apsw.Connection, str, int], int]:
    """A hook for one connection's commits; ``patience`` is its busy handler. A log that is not ``sound`` stays."""
    due = _LONG_PAGES

    def committed(connection: apsw.Connection, name: str, pages: int) -> int:
        nonlocal due
        term.frames = pages
        if pages < _LONG_PAGES:
            due = _LONG_PAGES
        elif HASTE.active:
            HASTE.owes_tidying = True
        elif pages >= due and (sound is None or sound(pages)):
            due = pages + _AGAIN_PAGES
            connection.set_busy_handler(None)  # whoever holds a lock now, nobody waits for it here
            try:
                shorten(connection, name)
            finally:
                connection.set_busy_handler(patience)
        return apsw.SQLITE_OK

    return committed


def shorten(connection: apsw.Connection, name: str = "main") -> None:
    """Copy the log into the file, as far as that goes; the next writer begins it anew if it went all the way."""
    with suppress(apsw.Error):  # the commits stand; the log can wait
        connection.wal_checkpoint(name, apsw.SQLITE_CHECKPOINT_RESTART)
