"""Checkpoints: when the write-ahead log goes back into the database file.

SQLite's own way is a passive checkpoint at every commit once the log is long. Under many writers it never catches up:
frames are appended while it copies, so the log is never begun anew, and from then on each commit syncs the disk twice
while the log, and the cost of looking into it, grow without bound. Here the process that finds the log long copies it
under the write lock, if that is free at this instant, so that the next writer begins the log anew; if not, it copies
what it can and leaves the rest to a later commit. Copying takes as long as dozens of commits, so a writer leaves it to
the thread that syncs the log (``store.sync``); one that finds the log very long, which that thread did not keep short,
copies it itself before its commit returns.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

import apsw

from comity.system.deadline import DEADLINE
from comity.system.haste import HASTE

Sound = Callable[[int], bool]  # whether a log of so many frames is still the database's, and whole
_LONG_PAGES = 1000  # 4 MiB
_AGAIN_PAGES = 100
_VERY_LONG_PAGES = 3000


class Term:
    """What holds for one connection's transaction: until when it may take, by the machine's own pace, how many frames
    of the log counted with its commit (0 if it wrote nothing), and whether that commit left the log long. ``helped``:
    somebody else copies the log then.
    """

    __slots__ = ("frames", "helped", "put_off", "until")

    def __init__(self) -> None:
        self.until = float("inf")
        self.frames = 0
        self.put_off = self.helped = False

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
        elif pages < due:
            return apsw.SQLITE_OK
        elif term.helped and (HASTE.active or pages < _VERY_LONG_PAGES):
            due = pages + _AGAIN_PAGES
            term.put_off = True
        elif sound is None or sound(pages):
            due = pages + _AGAIN_PAGES
            connection.set_busy_handler(None)  # a lock that another holds now is not waited for
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
