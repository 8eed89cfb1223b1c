"""Which log belongs to which database file: a note next to them, so that no database is read with another's log.

SQLite takes whatever log lies next to a database for its own (sqlite.org/howtocorrupt.html, 1.4). When a database is
replaced while its log is still there, by a move, a restore or a branch, the old log's pages would be put into the new
database. Each process that opens both notes their numbers; one that finds the noted log next to another database moves
the log aside, under a lock, before SQLite sees it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from importlib import import_module

from comity.store.bell import open_beside
from comity.store.file_identity import Ids
from comity.system import files

NAME = "pair"
ASIDE = ".of-another-database"
_MAX_BYTES = 200
_NONE = b"-"
_NOTICE_S = 0.05  # longer than a transaction in which files are exchanged goes on

Noted = list[bytes]  # of the database, its log, its shared memory


def part(path: str) -> Noted:
    """Move a log aside that was noted for another file than the database at ``path``; what was noted.

    Where only the shared memory is another one, a writer by the old one is given time to notice. Nothing
    that cannot be read or moved keeps anybody from opening the database.
    """
    try:
        noted, there = _noted(path), _there(path)
        if _is_strange(noted, there):
            _under_lock(path, _move)
        elif noted[:2] == there[:2] and noted[1] != _NONE and noted[2:] != there[2:]:
            time.sleep(_NOTICE_S)
    except OSError:
        return []
    return noted


def is_strange(path: str) -> bool:
    """Whether a log lies there that was noted for another database."""
    try:
        return _is_strange(_noted(path), _there(path))
    except OSError:
        return False


def note(path: str, ids: Ids, known: Noted) -> bool:
    """Write down that these belong together, unless that is ``known`` to be noted. False when they are not what is
    there, or the log is another's.
    """
    told = [_NONE if one is None else b"%d:%d" % one for one in ids]
    if known == told:
        return True
    try:
        noted = _noted(path)
        if noted == told:
            return True
        return not _is_strange(noted, told) and _under_lock(path, lambda _, lock: _write(path, lock, told))
    except OSError:
        return True


def _noted(path: str) -> Noted:
    try:
        return _parts(files.read(os.path.dirname(path), _name(path), _MAX_BYTES))
    except FileNotFoundError:
        return _parts(b"")


def _parts(text: bytes) -> Noted:
    return [*text.split(b"\n"), _NONE, _NONE, _NONE][:3]


def _there(path: str) -> Noted:
    found = []
    for name in (path, path + "-wal", path + "-shm"):
        try:
            info = os.lstat(name)
            found.append(b"%d:%d" % (info.st_dev, info.st_ino))
        except FileNotFoundError:
            found.append(_NONE)
    return found


def _is_strange(noted: Noted, there: Noted) -> bool:
    """Whether the noted log lies next to another database than the noted one."""
    (database, log), (now_database, now_log) = noted[:2], there[:2]
    return log == now_log != _NONE and database != now_database != _NONE


def _lock(descriptor: int) -> None:
    if sys.platform != "win32":  # where files that are open cannot be exchanged
        fcntl = import_module("fcntl")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _under_lock(path: str, act: Callable[[str, int], bool]) -> bool:
    descriptor = open_beside(path + ".bell", NAME, os.O_RDWR | os.O_CREAT)
    try:
        _lock(descriptor)
        return act(path, descriptor)
    finally:
        os.close(descriptor)


def _move(path: str, descriptor: int) -> bool:
    if not _is_strange(_parts(os.pread(descriptor, _MAX_BYTES, 0)), _there(path)):
        return False
    for ending in ("-wal", "-shm"):
        try:
            os.replace(path + ending, path + ending + ASIDE)
        except FileNotFoundError:
            continue
    return _write(path, descriptor, _there(path))


def _write(path: str, descriptor: int, told: Noted) -> bool:
    there = _there(path)
    if told != there or _is_strange(_parts(os.pread(descriptor, _MAX_BYTES, 0)), there):
        return False
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, b"\n".join([*told, b""]), 0)
    return True


def _name(path: str) -> str:
    return f"{os.path.basename(path)}.bell/{NAME}"
