"""The embedded store: one SQLite file in WAL mode, shared by every process on the machine.

Authoritative is the file. Every operation is one transaction on a connection of its own from a small pool, so that
a call that waits for the write lock holds no other thread up. After a commit the bell is rung (``store.bell``); in
``normal`` durability the log is synced by a timer (``store.sync``).

Nothing counts as done in files that others do not see: each transaction looks at what the path names before its work
and after its commit (``store.footing``). Once that differs, the store is lost for good: every call says so.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection
from types import TracebackType

import apsw

from comity.kernel.problem import Problem, Unavailable
from comity.store import log_pairing
from comity.store.bell import Bell, Waiter
from comity.store.checkpoint import shorten
from comity.store.connection import BUSY_S, MOST_S, STRANGE_S, Connection, Durability, connect, create_private
from comity.store.errors import problem_of
from comity.store.file_identity import DOUBTFUL, Footing
from comity.store.migrate import migrate
from comity.store.sql import SqliteTx, Statements
from comity.store.sync import LogSync
from comity.system.haste import HASTE

_PROBE_S = 1.0
_NEVER = float("inf")
_MOST_TRIES = 5


class _Transaction:
    """Takes a connection from the pool, begins, and commits or rolls back."""

    __slots__ = ("_connection", "_cursor", "_store", "_writes")

    def __init__(self, store: SqliteStore, *, writes: bool) -> None:
        self._store = store
        self._writes = writes

    def __enter__(self) -> SqliteTx:
        store = self._store
        self._connection = connection = store.take()
        self._cursor = cursor = connection.cursor()
        connection.term.until = _NEVER  # waiting for the lock has a bound of its own
        try:
            cursor.execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
            wrong = store.footing.glance()
            if wrong:
                cursor.execute("ROLLBACK")
                store.judge(wrong)
                cursor.execute("BEGIN IMMEDIATE" if self._writes else "BEGIN")
            connection.term.until = time.monotonic() + store.most_s
        except apsw.Error as error:
            store.give(connection)
            raise store.problem_of(error) from error
        except Unavailable:
            store.give(connection)
            raise
        return SqliteTx(connection, cursor, store.statements)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, store = self._connection, self._store
        wrong = ""
        try:
            if error is None:
                connection.term.frames = 0
                self._cursor.execute("COMMIT")
                if self._writes:
                    store.sync.wrote()
                    if connection.term.put_off:
                        connection.term.put_off = False
                        store.sync.shorten_soon()
                    wrong = store.footing.look_again(connection.term.frames)
        except apsw.Error as failure:
            error = failure
        try:
            if not connection.get_autocommit():
                connection.execute("ROLLBACK").fetchall()
            if wrong:
                store.judge(wrong)
            store.give(connection)
        except apsw.Error:
            store.drop(connection)
        except Unavailable:
            store.give(connection)
            raise
        if isinstance(error, apsw.Error):
            raise store.problem_of(error) from error


class SqliteStore:
    """One database file. Raises Unavailable when it cannot be opened, or is locked for ``busy_s``."""

    def __init__(self, path: str | os.PathLike[str], durability: Durability = "normal", busy_s: float = BUSY_S) -> None:
        folder, name = os.path.split(os.path.abspath(os.fspath(path)))
        self.path = os.path.join(os.path.realpath(folder), name)
        self.durability = durability
        self.busy_s = busy_s
        self.commits_wait = durability != "normal"
        self.statements = Statements()
        self.footing = Footing(self.path)
        self._idle: list[Connection] = []
        self._closed = False
        self._lost = ""
        self._lock = threading.Lock()  # around the number of open connections
        self._open_count = 0
        self._rests = False  # none is open: closing the last one has removed the log
        self.most_s = MOST_S  # that one transaction may take
        self._idle.append(self._first())
        self.bell = Bell(self.path + ".bell")
        self.sync = LogSync(self.path, self.tidy, active=durability == "normal")

    def reading(self) -> _Transaction:
        """A read transaction: one consistent snapshot, never waits for a writer."""
        return _Transaction(self, writes=False)

    def writing(self) -> _Transaction:
        """A transaction that holds the write lock from its start."""
        return _Transaction(self, writes=True)

    def ring(self, agents: Collection[str], /) -> None:
        """Wake the calls that wait for these agents, in any process on this machine, and followers of the log."""
        self.bell.ring(agents)

    def waiter(self, agents: Collection[str], /) -> Waiter:
        """Something to wait on for events of these agents (of all, when empty). Close it when done."""
        return Waiter(self.bell, agents, self)

    def size_bytes(self) -> int:
        """How large the file and its log are."""
        return sum(os.stat(path).st_size for path in (self.path, f"{self.path}-wal") if os.path.exists(path))

    def tidy(self) -> None:
        """Copy the write-ahead log into the file, which those who write leave to the thread that syncs it."""
        try:
            connection = self.take()
        except Unavailable:
            return
        try:
            with HASTE:  # a lock that another holds now is not waited for
                if self._sound(connection.frames()):
                    shorten(connection)
        except apsw.Error:
            return  # the commits stand; the log can wait
        finally:
            self.give(connection)

    def look(self) -> None:
        """See that the path names the files that are open. Raises Unavailable ``store.replaced``."""
        if self._lost:
            raise self._replaced(self._lost)
        if wrong := self.footing.look_at_rest() if self._rests else self.footing.look():
            self.judge(wrong)

    def judge(self, wrong: str) -> None:
        """What a look found, with no transaction open. Raises Unavailable ``store.replaced`` unless nothing is lost."""
        if wrong in DOUBTFUL and not self._lost_something():
            return
        self._lost = wrong
        raise self._replaced(wrong)

    def problem_of(self, error: apsw.Error) -> Problem:
        """What SQLite says; that the files were replaced, where that is behind it."""
        try:
            self.look()
        except Unavailable as lost:
            return lost
        return problem_of(error, self.path)

    def take(self) -> Connection:
        """A connection out of the pool, or a new one. Raises Unavailable."""
        if self._lost:
            raise self._replaced(self._lost)
        try:
            return self._idle.pop()
        except IndexError:
            self.look()  # nothing is made where the files are not ours any more
            return self._open_again() if self._rests else self._open()

    def give(self, connection: Connection) -> None:
        """Back into the pool; closed if the store is, or is lost."""
        if self._closed or self._lost:
            if not self._keeps(connection):
                connection.leave_the_log()
            self._shut(connection)
        else:
            self._idle.append(connection)

    def drop(self, connection: Connection) -> None:
        """Close a connection that cannot end its transaction: that rolls back."""
        self._shut(connection, force=True)

    def close(self) -> None:
        """Sync what this process wrote and close every idle connection."""
        self._closed = True
        self.sync.close()
        self.bell.close()
        keeps = bool(self._idle) and self._keeps(self._idle[0])
        while self._idle:
            connection = self._idle.pop()
            if not keeps:
                connection.leave_the_log()
            self._shut(connection)
        self.footing.forget()

    def _first(self) -> Connection:
        """A connection to files that belong together, and are still there once it has opened them.

        They may be replaced at any moment, and the last one who closes removes a log. Raises Unavailable.
        """
        for _ in range(_MOST_TRIES):
            create_private(self.path)
            noted = log_pairing.part(self.path)
            try:
                self.footing.begin()
            except OSError:
                continue  # it is gone again
            failure, connection = self._tried(noted)
            if connection is not None:
                return connection
            if self.footing.stands and not log_pairing.is_strange(self.path):
                raise failure
        raise self._replaced("it does not stay the same")

    def _tried(self, noted: log_pairing.Noted) -> tuple[Problem, Connection | None]:
        """A connection to what is there now, or why there is none."""
        failure: Problem = self._replaced("another database's log is beside it")
        try:
            connection = self._open()
        except Unavailable as error:
            return error, None
        try:
            if not migrate(connection):
                self.most_s = STRANGE_S
                connection.watch()
            wrong = self.footing.settle(connection)
            if not wrong and log_pairing.note(self.path, self.footing.ids, noted):
                return failure, connection
            if wrong:
                failure = self._replaced(wrong)
        except apsw.Error as error:
            failure = problem_of(error, self.path)
        except Unavailable as error:
            failure = error
        except OSError:
            failure = self._replaced("it is gone")
        if not self._keeps(connection):
            connection.leave_the_log()
        self._shut(connection)
        return failure, None

    def _open(self) -> Connection:
        try:
            connection = connect(self.path, self.durability, self.busy_s, self._sound)
        except apsw.Error as error:
            raise problem_of(error, self.path) from error
        connection.term.helped = not self.commits_wait
        if self.most_s == STRANGE_S:
            connection.watch()
        with self._lock:
            self._open_count += 1
        return connection

    def _shut(self, connection: Connection, *, force: bool = False) -> None:
        with self._lock:
            self._open_count -= 1
            self._rests = not self._open_count
            connection.close(force)

    def _open_again(self) -> Connection:
        """A connection after the last one was closed: the same database, and perhaps another log."""
        connection = self._open()
        try:
            with self._lock:
                if self._rests:
                    connection.execute("SELECT 1 FROM sqlite_schema").fetchall()
                    wrong = self.footing.settle_again(connection)
                    if wrong:
                        raise self._replaced(wrong)
                    log_pairing.note(self.path, self.footing.ids, [])
                    self._rests = False
        except (apsw.Error, OSError, Unavailable) as error:
            self._shut(connection)
            raise self.problem_of(error) if isinstance(error, apsw.Error) else self._replaced("it is gone") from error
        return connection

    def _lost_something(self) -> bool:
        """Whether a file that is shorter than before lost something, by a connection that has no page in memory."""
        try:
            probe = connect(self.path, self.durability, _PROBE_S, self._sound)
            try:
                return self.footing.lost_something(probe)
            finally:
                probe.close()
        except (apsw.Error, OSError):
            return True

    def _keeps(self, connection: Connection) -> bool:
        """Whether the log may be copied back by the last to close: only where no process has another, and whole."""
        try:
            return self.footing.keeps_the_log and self.footing.log_is_whole(connection.frames())
        except (apsw.Error, OSError):
            return False

    def _sound(self, frames: int) -> bool:
        try:
            return not self._lost and not self.footing.look() and self.footing.log_is_whole(frames)
        except OSError:
            return False

    def _replaced(self, wrong: str) -> Unavailable:
        return Unavailable(
            "store.replaced",
            f"The database {self.path} is not the one that was opened: {wrong}. What is done here would be lost.",
            "Start this session or server anew; `comity doctor` says what is there now.",
            path=self.path,
            wrong=wrong,
        )
