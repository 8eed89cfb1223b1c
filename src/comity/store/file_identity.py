"""The files of a store: whether database, log and shared memory are still the files that their paths name.

Authoritative is the path: other processes open what it names now. A file that was removed or replaced lives on for
the processes that have it open, and what is written there is lost; a log or a shared memory that others do not have
leads to a corrupt database (sqlite.org/howtocorrupt.html). So each transaction looks before its work, unless somebody
here looked within the last millisecond, and each that wrote looks again before it counts as done. A look is a few
system calls: a folder's time changes when a name in it is made, removed or renamed, so all its names are looked at only
then.

The log tells by itself whether it was cut: the last frame that this process knows of has to bear the log's salts.

What can go wrong: a change within the same tick of the clock as the last full look; until the folder's time is older
than that, each look is a full one. A read that begins less than a millisecond after a change may answer from before. A
cut that hits only what others wrote since this process's last commit is seen by the length, or by the room that the
file takes; where file systems compress, only before the log is copied back.
"""

from __future__ import annotations

import os
import time

from comity.kernel.hints import Protocol
from comity.system import files

LOG_LIMIT_BYTES = 64 * 1024 * 1024  # a log that grew longer is cut to this when it begins anew
_HEADER_BYTES, _FRAME_BYTES = 32, 24
_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_FRESH_S = 0.001
_SAMPLE = 16  # frames that are looked at where the file system tells of no hole
_SEEK_HOLE: int | None = getattr(os, "SEEK_HOLE", None)
_SETTLED_NS = 50_000_000  # a folder's time may be this much too coarse to tell two changes apart

SHORT, SHORT_LOG = "the database is cut", "the database's log is cut"
DOUBTFUL = (SHORT, SHORT_LOG)
GONE = "the database is gone"

_Id = tuple[int, int]
Ids = tuple[_Id, _Id | None, _Id | None]  # of the database, its log, its shared memory


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
        self._where: int | str = self._folder  # opened, where folders can be: that is asked in half the time
        self._log = -1
        self.ids: Ids = ((0, 0), None, None)
        self._stamp: tuple[int, int, int] = (0, 0, 0)
        self._settled = False
        self._size_bytes = 0
        self._fresh_until = 0.0
        self._length_bytes = 0  # of the log
        self._salts = b""  # of the log; empty while it has none
        self._last = 0  # where in the log the salts of the last frame stand that this process knows of; 0 for none
        self._page_bytes = 0
        self._is_packed = False  # a file takes less room than it is long, and still has no hole

    def begin(self) -> None:
        """Take what is there before a connection opens it. Raises OSError."""
        self.forget()
        self.ids = self._now()

    def settle(self, connection: Checks) -> str:
        """Take what that connection has opened since; what is wrong if it cannot be told which file. Raises OSError."""
        wrong = self._compared(self._now())
        if wrong:
            return wrong
        if os.name == "posix":
            self._where = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._size_bytes = os.stat(self._path).st_size
        if self.ids[1] is not None:
            self._log = files.open_file(self._folder, os.path.basename(self._path) + "-wal", os.O_RDONLY)
            if self._log_lost_something(connection):
                return SHORT_LOG
        return ""

    def settle_again(self, connection: Checks) -> str:
        """``settle`` after a time without any connection: closing the last one removed the log. Raises OSError."""
        database = self.ids[0]
        self.begin()
        self._stamp, self._settled, self._fresh_until = (0, 0, 0), False, 0.0
        return self.settle(connection) if self.ids[0] == database else "another file is in the database's place"

    def look_at_rest(self) -> str:
        """What is wrong while no connection is open: then only the database itself is ours."""
        try:
            now = os.stat(self._path)
        except OSError:
            return GONE
        return "" if (now.st_dev, now.st_ino) == self.ids[0] else "another file is in the database's place"

    def forget(self) -> None:
        """Close what is open."""
        if self._log >= 0:
            os.close(self._log)
            self._log = -1
        if isinstance(self._where, int):
            os.close(self._where)
            self._where = self._folder

    def glance(self) -> str:
        """What is wrong before a transaction; a look of this instant counts."""
        return "" if time.monotonic() < self._fresh_until else self.look()

    def look(self) -> str:
        """What is wrong: which file was removed, replaced or cut; empty when all is well."""
        try:
            now = os.stat(self._path)
        except OSError:
            return GONE
        if (now.st_dev, now.st_ino) != self.ids[0]:
            return "another file is in the database's place"
        if now.st_size < self._size_bytes:
            return SHORT
        self._size_bytes = now.st_size
        if self._log >= 0:
            length = os.lseek(self._log, 0, os.SEEK_END)
            if length != self._length_bytes:
                if length < self._length_bytes or self._has_hole():
                    return SHORT_LOG
                self._length_bytes = length
        wrong = self.look_again()
        if not wrong:
            self._fresh_until = time.monotonic() + _FRESH_S
        return wrong

    def look_again(self, frames: int = 0) -> str:
        """``look`` after a commit, without the lengths. ``frames`` of the log counted with it."""
        try:
            now = os.stat(self._where)
            if not now.st_nlink:
                return GONE
            stamp = now.st_ctime_ns, now.st_ino, now.st_dev
            if stamp != self._stamp or not self._settled:
                settled = time.time_ns() - stamp[0] > _SETTLED_NS  # before the full look: what comes after it is seen
                wrong = self._compared(self._now())
                if wrong:
                    return wrong
                self._stamp, self._settled = stamp, settled
        except OSError:
            return GONE
        if self._log >= 0:
            if not self._last or os.pread(self._log, 8, self._last) != self._salts:
                was = self._salts
                wrong = self._began_anew()
                if wrong or self._salts != was:
                    return wrong
            if frames:
                self._last = self._salts_of(frames)
        return ""

    def lost_something(self, connection: Checks) -> bool:
        """Whether a file that is shorter than before has lost something. If not, it counts as it is from now on."""
        if self._log >= 0 and self._log_lost_something(connection):
            return True
        size = os.stat(self._path).st_size
        if size < self._size_bytes:
            if not connection.whole():
                return True
            self._size_bytes = size
        return False

    def log_is_whole(self, frames: int) -> bool:
        """Whether so many frames are in the log: none is a hole that a cut left, once somebody wrote beyond it.

        The file system knows where holes are; each frame is looked at only where it tells of one, and a sample always.
        """
        if self._log < 0 or not frames:
            return True
        head = os.pread(self._log, 24, 0)
        if head[:4] not in _MAGIC:
            return False
        salts, step = head[16:], 1 if self._holds_less_than(frames) else -(-frames // _SAMPLE)
        return all(os.pread(self._log, 8, self._salts_of(place)) == salts for place in range(frames, 0, -step))

    @property
    def stands(self) -> bool:
        """Whether the path names what was there at first."""
        try:
            return not self._compared(self._now())
        except OSError:
            return False

    @property
    def keeps_the_log(self) -> bool:
        """Whether no other process can have another log: then what is in ours may go into the database.

        With another shared memory next to it, or none, it may hold more than this process knows: it stays as it is.
        """
        try:
            database, log, shared = self._now()
        except OSError:
            return False
        return database == self.ids[0] and (log is None or (log, shared) == self.ids[1:])

    def _compared(self, now: Ids) -> str:
        names = ("the database", "its log (-wal)", "its shared memory (-shm)")
        for name, was, there in zip(names, self.ids, now, strict=True):
            if was != there and was is not None:
                return f"{name} is gone" if there is None else f"another file is in the place of {name}"
        if now != self.ids:
            self.ids = now
        return ""

    def _began_anew(self) -> str:
        """What is wrong with the log, unless it is another one than before in the same file, or no frame was known."""
        head = os.pread(self._log, 24, 0)
        salts = head[16:]
        if not salts:
            return SHORT_LOG if self._salts else ""
        if head[:4] not in _MAGIC:
            return "the database's log is overwritten"
        if salts == self._salts and self._last:
            return SHORT_LOG
        self._salts, self._last = salts, 0
        return ""

    def _has_hole(self) -> bool:
        """Whether the log takes less room than it is long, and did not before."""
        log = os.fstat(self._log)
        return log.st_blocks * 512 < log.st_size and not self._is_packed

    def _holds_less_than(self, frames: int) -> bool:
        """Whether the file ends or has a hole before so many frames are over, or its system does not tell of holes."""
        if _SEEK_HOLE is None:
            return True
        try:
            return os.lseek(self._log, 0, _SEEK_HOLE) < self._salts_of(frames + 1) - 8
        except OSError:  # it is empty
            return True

    def _log_lost_something(self, connection: Checks) -> bool:
        """Whether frames that count are not there; if not, the log counts as it is from now on."""
        salts = self._salts_now()
        frames = connection.frames()
        log = os.fstat(self._log)
        whole = self.log_is_whole(frames)
        same = self._salts_now() == salts
        if same and not whole:
            return True
        self._length_bytes = log.st_size
        self._is_packed = log.st_blocks * 512 < log.st_size
        self._salts = salts
        self._last = self._salts_of(frames) if frames and same else 0
        return False

    def _salts_now(self) -> bytes:
        return os.pread(self._log, 8, 16)

    def _salts_of(self, frame: int) -> int:
        """Where in the log the salts of this frame stand, the first being 1 (sqlite.org/fileformat2.html, 4)."""
        if not self._page_bytes:
            self._page_bytes = int.from_bytes(os.pread(self._log, 4, 8))
        return _HEADER_BYTES + (frame - 1) * (self._page_bytes + _FRAME_BYTES) + 8

    def _now(self) -> Ids:
        database = os.stat(self._path)
        return (database.st_dev, database.st_ino), _id(self._path + "-wal"), _id(self._path + "-shm")


def _id(path: str) -> _Id | None:
    try:
        info = os.lstat(path)
    except OSError:
        return None
    return info.st_dev, info.st_ino
