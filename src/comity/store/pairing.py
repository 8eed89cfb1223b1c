"""Which log belongs to which database file: a note beside them, so that nobody reads one database with another's log.

SQLite takes whatever log lies beside a database for its own (sqlite.org/howtocorrupt.html, 1.4). When a database is
replaced while its log is still there, by a move, a restore or a branch, the old log's pages would be put into the new
database. Each process that opens both notes their numbers; whoever finds the noted log beside another database moves
the log aside, under a lock, before SQLite sees it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from comity.store.bell import open_beside
from comity.system import files

NAME = "pair"
ASIDE = ".of-another-database"
_MAX_BYTES = 200

if sys.platform == "win32":

    def _lock(_: int) -> None:
        """There are no inodes that could be exchanged under a process there."""

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def part(path: str) -> bool:
    """Move a log aside that was noted for another file than the database at ``path``; whether there was one.

    Nothing that cannot be read or moved keeps anybody from opening the database.
    """
    try:
        noted = files.read(os.path.dirname(path), _name(path), _MAX_BYTES)
        return _is_strange(noted, path) and _under_lock(path, _move)
    except (OSError, ValueError):
        return False


def note(path: str) -> None:
    """Write down what lies at ``path`` and beside it now, if that is not noted yet."""
    try:
        there = _there(path)
        try:
            if files.read(os.path.dirname(path), _name(path), _MAX_BYTES) == there:
                return
        except FileNotFoundError:
            pass
        _under_lock(path, _write)
    except OSError:
        return


def _is_strange(noted: bytes, path: str) -> bool:
    """Whether the noted log lies beside another database than the noted one."""
    database, log = noted.split(b"\n")[:2]
    now_database, now_log = _there(path).split(b"\n")[:2]
    return log == now_log != b"-" and database != now_database != b"-"


def _there(path: str) -> bytes:
    found = []
    for name in (path, path + "-wal"):
        try:
            info = os.lstat(name)
            found.append(b"%d:%d" % (info.st_dev, info.st_ino))
        except FileNotFoundError:
            found.append(b"-")
    return b"\n".join([*found, b""])


def _under_lock(path: str, act: Callable[[str, int], bool]) -> bool:
    descriptor = open_beside(path + ".bell", NAME, os.O_RDWR | os.O_CREAT)
    try:
        _lock(descriptor)
        return act(path, descriptor)
    finally:
        os.close(descriptor)


def _move(path: str, descriptor: int) -> bool:
    if not _is_strange(os.pread(descriptor, _MAX_BYTES, 0), path):
        return False
    for ending in ("-wal", "-shm"):
        try:
            os.replace(path + ending, path + ending + ASIDE)
        except FileNotFoundError:
            continue
    return _write(path, descriptor)


def _write(path: str, descriptor: int) -> bool:
    there = _there(path)
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, there, 0)
    return True


def _name(path: str) -> str:
    return f"{os.path.basename(path)}.bell/{NAME}"
