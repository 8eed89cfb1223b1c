"""The hooks' log next to the database: one line for each hook, which ``comity doctor`` reads.

A line is JSON: time, host, event, what was done, milliseconds, and what went wrong. Two files of at most a megabyte.
The log is opened through no link, and a line holds nothing that a shell would run: it may be anybody's words. Where a
line cannot be written, since the disk is full, it is counted in a file that was made before.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress

from comity.hosts.contract import HookReply
from comity.kernel.text import json_line
from comity.system import files

MAX_BYTES = 1_000_000
_MAX_WHY = 300
_LOST, _DIGITS = ".lost", 8


class Note:
    """What one hook did, written when it ends; nothing is written where there is no project."""

    def __init__(self, host: str, event: str) -> None:
        self._host, self._event = host[:60], event[:60]
        self._path = ""
        self._did = "nothing"
        self._why = ""
        self._waited = False

    def at(self, database: str) -> None:
        """The project's database, next to which the log stands."""
        self._path = path_of(database)

    def did(self, reply: HookReply, wrong: Exception | None = None, *, waited: bool = False) -> None:
        """What the agent was told, and what went wrong. A hook that waited in vain writes nothing."""
        self._waited = waited
        said = (name for name in ("refuse", "go_on", "inject", "wake") if getattr(reply, name))
        self._did = next(said, "nothing")
        self._why = _said(wrong) if wrong is not None else ""

    def aside(self, error: Exception | None) -> None:
        """The event is not for this host's adapter, or there is none."""
        self._did = "aside"
        self._why = str(error)[:_MAX_WHY] if error else ""

    def failed(self, error: Exception) -> None:
        """What went wrong."""
        self._did = "error"
        self._why = _said(error)

    def write(self, took_ms: float) -> None:
        """Append the line. A log that cannot be written stops no hook."""
        if not self._path or (self._waited and (self._did, self._why) == ("nothing", "")):
            return
        told = {"at": round(time.time(), 3), "host": self._host, "event": self._event, "did": self._did}
        told["ms"] = round(took_ms, 1)
        if self._why:
            told["why"] = self._why
        try:
            _append(self._path, (json_line(told) + "\n").encode())
        except OSError:
            with suppress(OSError):
                _count(self._path)


def lost(database: str) -> int:
    """How many lines of the log could not be written."""
    try:
        return int(files.read_beside(path_of(database) + _LOST, _DIGITS))
    except (OSError, ValueError):
        return 0


def _append(path: str, line: bytes) -> None:
    folder, name = os.path.split(path)
    _rotate(path)
    descriptor = files.open_file(folder, name, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        if not os.fstat(descriptor).st_size:
            files.write_new(folder, name + _LOST, b"0" * _DIGITS)
        if os.write(descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, "the disk is full")
    finally:
        os.close(descriptor)


def _count(path: str) -> None:
    """One more line that is not in the log: in place, so that no room is needed."""
    folder, name = os.path.split(path)
    descriptor = files.open_file(folder, name + _LOST, os.O_RDWR)
    try:
        number = int(os.pread(descriptor, _DIGITS, 0) or b"0") + 1
        os.pwrite(descriptor, b"%0*d" % (_DIGITS, number), 0)
    except ValueError:
        return
    finally:
        os.close(descriptor)


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:_MAX_WHY]


def path_of(database: str) -> str:
    """The log of a project's hooks."""
    return database + ".hooks.log"


def captures_of(database: str) -> str:
    """The folder that real payloads are kept in while it exists: ``comity doctor --capture`` makes it."""
    return database + ".capture"


def _rotate(path: str) -> None:
    try:
        if os.lstat(path).st_size > MAX_BYTES:
            os.replace(path, path + ".1")
    except FileNotFoundError:
        return
