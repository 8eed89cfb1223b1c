"""What a store stands on: the database, its log and its shared memory are still the files that their paths name.

Authoritative is the path: other processes open what it names now. A file that was removed or replaced lives on for
whoever has it open, and what is written there is lost; a log or a shared memory that others do not have leads to a
corrupt database (sqlite.org/howtocorrupt.html). So each transaction looks before its work, and again before it counts
as done. A look is two or three system calls: a folder's time changes when a name in it is made, removed or renamed, so
the log and the shared memory are looked at only then.

What can go wrong: a change within the same tick of the clock as the last full look; until the folder's time is older
than that, each look is a full one. A cut in the middle of the log is found before the log is copied back.
"""

from __future__ import annotations

import os
import time

from comity.kernel.hints import Protocol
from comity.system import files

LOG_LIMIT_BYTES = 64 * 1024 * 1024  # a log that grew longer is cut to this when it begins anew
_HEADER_BYTES, _FRAME_BYTES = 32, 24
_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_SETTLED_NS = 50_000_000  # a folder's time may be this much too coarse to tell two changes apart

SHORT, SHORT_LOG = "the database is cut", "the database's log is cut"
DOUBTFUL = (SHORT, SHORT_LOG)
GONE = "the database is gone"

_Id = tuple[int, int]


class Checks(Protocol):
    """A connection, as far as a footing asks it."""

    def frames(self) -> int:
        """How many frames of the log count, as SQLite has it."""

    def whole(self) -> bool:
        """Whether the database is whole, by reading all of it."""


class Footing:
    """One process's files of one database, from when they are first open. Every look answers what is wrong, or nothing.

    DOUBTFUL answers say that a file is shorter than it was: only a connection can judge that (``lost_something``).
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._folder = os.path.dirname(path)
        self._log = -1
        self._ids: tuple[_Id, _Id | None, _Id | None] = ((0, 0), None, None)
        self._stamp: tuple[int, int, int] = (0, 0, 0)
        self._settled = False
        self._size_bytes = 0
        self._had_log = False

    def settle(self) -> None:
        """Take what is there now, which a connection has just opened. Raises OSError."""
        self.forget()
        self._ids = self._now()
        self._stamp, self._settled = self._folder_now()
        self._size_bytes = os.stat(self._path).st_size
        if self._ids[1] is not None:
            self._log = files.open_file(self._folder, os.path.basename(self._path) + "-wal", os.O_RDONLY)

    def forget(self) -> None:
        """Close what is open."""
        if self._log >= 0:
            os.close(self._log)
            self._log = -1

    def look(self) -> str:
        """What is wrong before a transaction: which file was removed, replaced or cut; empty when all is well."""
        try:
            now = os.stat(self._path)
        except OSError:
            return GONE
        if (now.st_dev, now.st_ino) != self._ids[0]:
            return "another file is in the database's place"
        if now.st_size < self._size_bytes:
            return SHORT
        self._size_bytes = now.st_size
        return self.look_again()

    def look_again(self) -> str:
        """The same after a commit, in half the time: the database's size is left out."""
        try:
            stamp, settled = self._folder_now()
            if stamp != self._stamp or not self._settled:
                wrong = self._compared(self._now())
                if wrong:
                    return wrong
                self._stamp, self._settled = stamp, settled
        except OSError:
            return GONE
        return self._head()

    def lost_something(self, connection: Checks) -> bool:
        """Whether a file that is shorter than before has lost something. If not, it counts as it is from now on."""
        length = os.fstat(self._log).st_size if self._log >= 0 else 0
        frames = connection.frames()
        if frames and length < self._offset(frames):
            return True
        size = os.stat(self._path).st_size
        if size < self._size_bytes:
            if not connection.whole():
                return True
            self._size_bytes = size
        self._had_log = length > 0
        return False

    def log_is_whole(self, frames: int) -> bool:
        """Whether each of the log's frames belongs to this log: none is a hole or left from before a cut."""
        if self._log < 0:
            return True
        salts = os.pread(self._log, 8, 16)
        return all(os.pread(self._log, 8, self._offset(place) + 8) == salts for place in range(frames))

    @property
    def keeps_the_log(self) -> bool:
        """Whether nobody else can have another log: then what is in ours may go into the database."""
        try:
            database, log, _ = self._now()
        except OSError:
            return False
        return database == self._ids[0] and log in (None, self._ids[1])

    def _compared(self, now: tuple[_Id, _Id | None, _Id | None]) -> str:
        names = ("the database", "its log (-wal)", "its shared memory (-shm)")
        for name, was, there in zip(names, self._ids, now, strict=True):
            if was != there and was is not None:
                return f"{name} is gone" if there is None else f"another file is in the place of {name}"
        if now != self._ids:
            self._ids = now
        return ""

    def _head(self) -> str:
        if self._log < 0:
            return ""
        head = os.pread(self._log, 4, 0)
        if head:
            self._had_log = True
            return "" if head in _MAGIC else "the database's log is overwritten"
        return SHORT_LOG if self._had_log else ""

    def _offset(self, place: int) -> int:
        """Where in the log the frame of this number begins, the first being 0 (sqlite.org/fileformat2.html, 4)."""
        page_bytes = int.from_bytes(os.pread(self._log, 4, 8))
        return _HEADER_BYTES + place * (page_bytes + _FRAME_BYTES)

    def _now(self) -> tuple[_Id, _Id | None, _Id | None]:
        database = os.stat(self._path)
        return (database.st_dev, database.st_ino), _id(self._path + "-wal"), _id(self._path + "-shm")

    def _folder_now(self) -> tuple[tuple[int, int, int], bool]:
        now = os.stat(self._folder)
        settled = time.time_ns() - now.st_mtime_ns > _SETTLED_NS
        return (now.st_dev, now.st_ino, now.st_mtime_ns), settled


def _id(path: str) -> _Id | None:
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino
