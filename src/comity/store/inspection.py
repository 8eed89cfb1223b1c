"""Looking into a database file without changing it: whether it is whole, what it is made of, which rows are malformed.

The connection only queries, and leaves the log as it is. Opening a file that is not a SQLite database in WAL mode would
change it, so ``form`` looks at its first bytes before: before SQLite has it open in this process, since closing a
descriptor later would drop SQLite's locks.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import Any, Literal, Self

import apsw

from comity.store import doorbell, migrate
from comity.store.connection import Connection, connect, connect_frozen
from comity.store.sql import Statements
from comity.system import files

Form = Literal["empty", "strange", "rollback", "wal"]

_MAGIC = b"SQLite format 3\0"
_HEAD_BYTES = 20
_WAL = b"\2\2"  # both format versions in the header of a database in WAL mode
_MEMORY = ":memory:"


def form(path: str) -> Form:
    """What a file is: empty, no SQLite database, one with a rollback journal, or one in WAL mode. Raises OSError."""
    descriptor = files.open_file(*os.path.split(path), os.O_RDONLY)
    try:
        head = os.read(descriptor, _HEAD_BYTES)
    finally:
        os.close(descriptor)
    if not head:
        return "empty"
    if not head.startswith(_MAGIC):
        return "strange"
    return "wal" if head[18:_HEAD_BYTES] == _WAL else "rollback"


def log_bytes(path: str) -> int:
    """How large the write-ahead log next to a database is; 0 without one."""
    try:
        return os.stat(f"{path}-wal").st_size
    except OSError:
        return 0


def library() -> str:
    """The version of SQLite. Raises Unavailable for one that is too old."""
    with Inspection(connect(_MEMORY, "normal")) as looked:
        return looked.library


def notification() -> str:
    """What tells a waiting call of a commit: ``inotify``, ``kqueue``, or nothing (empty)."""
    bell = doorbell.make([])
    bell.close()
    return "" if isinstance(bell, doorbell.NoDoorbell) else type(bell).__name__.removesuffix("Doorbell").lower()


class Inspection:
    """An open database that is only read. Close it, or use it in a ``with`` statement."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @classmethod
    def of(cls, path: str) -> Self:
        """A file in WAL mode, as other processes are at work on it."""
        connection = connect(path, "normal")
        connection.leave_the_log()
        connection.execute("PRAGMA query_only = ON").fetchall()
        return cls(connection)

    @classmethod
    def frozen(cls, path: str) -> Self:
        """A file in any mode, as if it had no writer: no log is read, no lock taken."""
        return cls(connect_frozen(path))

    @classmethod
    def fresh(cls) -> Self:
        """A new database in memory, with the newest schema."""
        connection = connect(_MEMORY, "normal")
        migrate.migrate(connection)
        return cls(connection)

    @property
    def library(self) -> str:
        """The version of SQLite that reads it."""
        return str(self._rows("SELECT sqlite_version()")[0][0])

    def errors(self) -> list[str]:
        """What SQLite's own check finds wrong, three at most; nothing when the file is whole."""
        try:
            said = [str(row[0]) for row in self._rows("PRAGMA quick_check(3)")]
        except apsw.Error as error:  # what it says of the file is an answer, too
            said = [str(error)]
        return [] if said == ["ok"] else said

    def schema(self) -> int:
        """The newest migration that the file has; 0 for none."""
        return migrate.version(self._connection)

    def parts(self) -> list[tuple[str, str, str, str]]:
        """Tables, views, indexes and triggers in the order of their making: kind, name, table, and SQL."""
        return self._rows("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY rowid")

    def internal(self) -> set[str]:
        """Names of what SQLite makes by itself: indexes of constraints, and tables of a full-text index."""
        rows = self._rows(
            "SELECT name FROM pragma_table_list WHERE type = 'shadow'"
            " UNION SELECT name FROM sqlite_schema WHERE sql IS NULL OR name LIKE 'sqlite|_%' ESCAPE '|'"
        )
        return {row[0] for row in rows}

    def columns(self, table: str) -> list[tuple[str, str, bool, str | None, int]]:
        """A table's columns: name, type, whether NULL is forbidden, default, place in the primary key or 0."""
        rows = self._rows('SELECT name, type, "notnull", dflt_value, pk FROM pragma_table_info(?)', table)
        return [(name, kind, bool(not_null), default, key) for name, kind, not_null, default, key in rows]

    def malformed_messages(self) -> int:
        """How many messages no implementation can read as the protocol has them."""
        number: int = self._rows(Statements()["channels.malformed_messages"])[0][0]
        return number

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _rows(self, sql: str, *values: str) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()
