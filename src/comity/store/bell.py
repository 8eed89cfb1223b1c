"""The bell: how a commit in one process wakes a waiting call in another at once.

Next to the database lies a folder with one small file for each of 32 groups of agents. After a commit the writer
overwrites one byte in the files of the agents concerned; a waiting process watches its file, or all of them when it
follows the whole log, with the operating system's notification (inotify, kqueue). Files stay open, so that a stroke is
one system call whether anybody waits or not.

Waking is a hint, never the truth: a waiter reads the database after every wake, and also whenever
``PRAGMA data_version`` shows a commit that rang no bell, as those of other implementations do.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from importlib import import_module

import apsw

from comity.kernel.hints import Protocol
from comity.kernel.problem import Problem
from comity.store.connection import Connection
from comity.system import files

_GROUPS = tuple(f"{number:02}" for number in range(32))


class Doorbell(Protocol):
    """Waits for one of several files to be written. ``period_s``: how often to look for commits that rang no bell.

    ``descriptor`` is readable when one was written; -1 where there is none.
    """

    paths: list[str]
    period_s: float
    descriptor: int

    def wait(self, timeout_s: float) -> bool:
        """True when one was written or the wait was interrupted."""

    def interrupt(self) -> None:
        """End a wait in another thread, now or as soon as it begins."""

    def close(self) -> None:
        """Stop watching."""


class Bell:
    """One database's bell files: a writer rings, a waiter takes a doorbell and puts it back."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._open: dict[str, int] = {}
        self._closed = False
        self._resting: Doorbell | None = None
        # A descriptor must not be closed, and its number become the database's, while another thread writes to it.
        self._lock = threading.Lock()

    def ring(self, agents: Collection[str]) -> None:
        """Wake the waiters of these agents and the followers of the log."""
        with self._lock:
            try:
                for name in _groups(agents):
                    self._strike(name)
            except OSError:
                return  # the folder cannot be written: the waiters' own look finds the commit

    def files(self, agents: Collection[str]) -> list[str]:
        """The files to watch for these agents, or for the whole log when there are none; made if absent."""
        names = sorted(_groups(agents)) or _GROUPS
        with self._lock, suppress(OSError):  # what cannot be made cannot be watched: the waiter looks more often
            for name in names:
                self._strike(name)
        return [os.path.join(self.folder, name) for name in names]

    def doorbell(self, agents: Collection[str]) -> Doorbell:
        """What waits for these agents' files. One is kept for reuse: closing inotify takes the kernel up to 20 ms."""
        paths = self.files(agents)
        with self._lock:
            doorbell, self._resting = self._resting, None
        if doorbell is not None:
            if doorbell.paths == paths:
                doorbell.wait(0)  # what rang meanwhile is past
                return doorbell
            doorbell.close()
        made: Doorbell = import_module("comity.store.doorbell").make(paths)
        return made

    def put_back(self, doorbell: Doorbell) -> None:
        """Keep it for the next wait, or close it if there is one already."""
        with self._lock:
            if keep := self._resting is None and not self._closed:
                self._resting = doorbell
        if not keep:
            doorbell.close()

    def close(self) -> None:
        """Let go of the files."""
        with self._lock:
            self._closed = True
            resting, self._resting = self._resting, None
            while self._open:
                os.close(self._open.popitem()[1])
        if resting is not None:
            resting.close()

    def _strike(self, name: str) -> None:
        """Overwrite one byte of one file, which is made if absent."""
        if self._closed:
            return
        descriptor = self._open.get(name)
        if descriptor is None:
            descriptor = open_beside(self.folder, name, os.O_CREAT | os.O_WRONLY)
            self._open[name] = descriptor
        os.pwrite(descriptor, b"\1", 0)


def open_beside(folder: str, name: str, flags: int) -> int:
    """A file in the folder for bell files, which is made, and ignored by git, if absent. Raises OSError.

    Through links nothing is opened: such a folder could come with a branch.
    """
    base, inner = os.path.split(folder)
    try:
        return files.open_file(base, f"{inner}/{name}", flags)
    except FileNotFoundError:
        if files.make_folder(base, inner):
            files.write_new(base, f"{inner}/.gitignore", b"*\n")
    return files.open_file(base, f"{inner}/{name}", flags)


def _groups(agents: Iterable[str]) -> set[str]:
    crc32 = import_module("binascii").crc32  # a look that finds nothing rings no bell
    return {_GROUPS[crc32(agent.encode("utf-8", "replace")) % len(_GROUPS)] for agent in agents}


class Pool(Protocol):
    """Where a waiter's connection comes from."""

    def take(self) -> Connection:
        """A connection."""

    def give(self, connection: Connection, /) -> None:
        """It is not needed any more."""

    def problem_of(self, error: apsw.Error, /) -> Problem:
        """What SQLite says, in words."""

    def look(self) -> None:
        """See that the path still names the files that are open. Raises Unavailable."""


class Waiter:
    """Waits for commits that concern some agents. Make it before the look that may find nothing, then ``wait``."""

    def __init__(self, bell: Bell, agents: Collection[str], pool: Pool) -> None:
        self._bell = bell
        self._doorbell = bell.doorbell(agents)
        self._pool = pool
        self._connection = pool.take()
        self._version = self._data_version()
        self._cancelled = False

    def wait(self, timeout_s: float) -> bool:
        """True when something may have been committed; False when the time is over or ``cancel`` was called.

        Raises Unavailable ``store.replaced``: nothing comes any more.
        """
        end = time.monotonic() + timeout_s
        while not self._cancelled:
            left = end - time.monotonic()
            rang = self._doorbell.wait(max(0.0, min(left, self._doorbell.period_s)))
            self._pool.look()
            version = self._data_version()
            if version != self._version or (rang and not self._cancelled):
                self._version = version
                return True
            if left <= 0:
                return False
        return False

    def rang(self) -> bool:
        """Whether a commit rang the bell since this was asked last, without a look at the database."""
        return self._doorbell.wait(0)

    @property
    def descriptor(self) -> int:
        """What is readable when a commit rang the bell; -1 where nothing is."""
        return self._doorbell.descriptor

    @property
    def period_s(self) -> float:
        """How often to look for commits that rang no bell."""
        return self._doorbell.period_s

    def cancel(self) -> None:
        """End the wait, from any thread."""
        self._cancelled = True
        self._doorbell.interrupt()

    def close(self) -> None:
        """Stop watching and give the connection back."""
        if self._cancelled:
            self._doorbell.close()
        else:
            self._bell.put_back(self._doorbell)
        self._pool.give(self._connection)

    def _data_version(self) -> int:
        try:
            return int(str(self._connection.execute("PRAGMA data_version").fetchall()[0][0]))
        except apsw.Error as error:
            raise self._pool.problem_of(error) from error
