"""A second store, without a file: for the threads of one process. It shows that ``Store`` is a protocol.

One connection writes. Whoever reads gets a copy of what was last committed, and so neither waits for a writer nor sees
half of what it does.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager

import apsw

from comity.kernel.problem import Unavailable
from comity.store.connection import BUSY_S, connect
from comity.store.errors import problem_of
from comity.store.migrate import migrate
from comity.store.sql import SqliteTx, Statements
from comity.system.haste import HASTE

_NAME = ":memory:"
_NO_WAL = b"\1\1"  # in the header: a write-ahead log is a file


class MemoryStore:
    """One database in memory, which ``close`` forgets. Every commit wakes every waiter. ``content`` is a file's."""

    def __init__(self, busy_s: float = BUSY_S, content: bytes = b"") -> None:
        self.busy_s = busy_s
        self.commits_wait = False
        self.commits = threading.Condition()
        self.count = 0
        self._turn = threading.Lock()
        self._statements = Statements()
        self._writer = connect(_NAME, "normal")
        if content:
            self._writer.deserialize("main", content[:18] + _NO_WAL + content[20:])
        migrate(self._writer)
        self._committed = self._writer.serialize("main")

    @contextmanager
    def reading(self) -> Iterator[SqliteTx]:
        """A copy of what was committed last."""
        copy = connect(_NAME, "normal")
        try:
            copy.deserialize("main", self._committed)
            yield SqliteTx(copy, copy.cursor(), self._statements)
        except apsw.Error as error:
            raise problem_of(error, _NAME) from error
        finally:
            copy.close()

    @contextmanager
    def writing(self) -> Iterator[SqliteTx]:
        """The writer's connection, for one thread at a time."""
        if not self._turn.acquire(timeout=0 if HASTE.active else self.busy_s):
            raise Unavailable("store.locked", "Another thread writes.", "Try again.")
        try:
            with self._transaction():
                yield SqliteTx(self._writer, self._writer.cursor(), self._statements)
            self._committed = self._writer.serialize("main")
        except apsw.Error as error:
            raise problem_of(error, _NAME) from error
        finally:
            self._turn.release()
        with self.commits:
            self.count += 1
            self.commits.notify_all()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.execute("BEGIN")
        try:
            yield
            self._writer.execute("COMMIT")
        finally:
            if not self._writer.get_autocommit():
                self._writer.execute("ROLLBACK")

    def ring(self, agents: Collection[str], /) -> None:
        """The commit woke everybody."""

    def waiter(self, agents: Collection[str], /) -> MemoryWaiter:
        """Waits for any commit."""
        return MemoryWaiter(self)

    def look(self) -> None:
        """Nobody can put another one in its place."""

    def size_bytes(self) -> int:
        """Of one copy."""
        return len(self._committed)

    def close(self) -> None:
        """Nothing of it lasts."""
        self._writer.close()


class MemoryWaiter:
    """Waits for commits after it was made."""

    descriptor = -1
    period_s = 0.02

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._seen = store.count
        self._cancelled = False

    def rang(self) -> bool:
        """Whether something was committed since this was asked last."""
        return self.wait(0)

    def wait(self, timeout_s: float, /) -> bool:
        """True when something was committed; False when the time is over or it was cancelled."""
        store = self._store
        with store.commits:
            store.commits.wait_for(lambda: self._cancelled or store.count != self._seen, max(0.0, timeout_s))
            news, self._seen = store.count != self._seen, store.count
            return news and not self._cancelled

    def cancel(self) -> None:
        """End the wait."""
        with self._store.commits:
            self._cancelled = True
            self._store.commits.notify_all()

    def close(self) -> None:
        """Nothing is held."""
