"""One open transaction: named statements on one connection, and the events that go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import apsw

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.hints import Any
from comity.kernel.scope import Row
from comity.kernel.text import compact
from comity.store.sql import Statements

_APPEND = (
    "INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, reason_code, metadata_json,"
    " timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_CONCERN = "INSERT INTO comity_event_subjects (audit_id, kind, id) VALUES (?, ?, ?)"


class SqliteTx:
    """One open transaction on one connection. All its statements share one cursor: each is read to its end."""

    __slots__ = ("_connection", "_cursor", "_statements")

    def __init__(self, connection: apsw.Connection, cursor: apsw.Cursor, statements: Statements) -> None:
        self._connection = connection
        self._cursor = cursor
        self._statements = statements

    def one(self, name: str, /, **params: Any) -> Row | None:
        """The first row of a statement, or None."""
        rows = self._rows(self._statements[name], params)
        return rows[0] if rows else None

    def all(self, name: str, /, **params: Any) -> list[Row]:
        """Every row of a statement."""
        return self._rows(self._statements[name], params)

    def _rows(self, sql: str, params: dict[str, Any]) -> list[Row]:
        try:
            return self._cursor.execute(sql, params).fetchall()
        except UnicodeDecodeError:
            return self._mended(sql, params)

    def _mended(self, sql: str, params: dict[str, Any]) -> list[Row]:
        """Rows of a query that holds text which is no UTF-8: programs that are not ours can write such."""
        names = [f"c{place}" for place in range(len(self._connection.execute(sql, params).get_description()))]
        columns = ", ".join(f"CASE typeof({c}) WHEN 'text' THEN CAST({c} AS BLOB) ELSE {c} END" for c in names)
        as_blobs = f"WITH r({', '.join(names)}) AS ({sql}) SELECT {columns} FROM r"  # noqa: S608 (names are made here)
        raw = self._connection.execute(as_blobs, params)
        return [tuple(v.decode("utf-8", "replace") if isinstance(v, bytes) else v for v in row) for row in raw]

    def run(self, name: str, /, **params: Any) -> int:
        """How many rows a statement changed."""
        self._cursor.execute(self._statements[name], params).fetchall()
        return self._connection.changes()

    def many(self, name: str, rows: Sequence[Row], /) -> None:
        """The same statement for every row of parameters, which stand in the order in which it first names them."""
        self._cursor.executemany(self._statements[name], rows)

    def append(self, events: Sequence[Event], now: Instant, /) -> None:
        """Append events to ``audit_log``, in order, and what they are about."""
        rows = [(*event[:6], _compact(event.metadata), now.iso) for event in events]
        self._cursor.executemany(_APPEND, rows)
        concerned = [(place, *subject) for place, event in enumerate(events) for subject in event.subjects]
        if concerned:  # the write lock is held, so the ids that were given follow each other
            first = self._connection.last_insert_rowid() - len(rows) + 1
            self._cursor.executemany(_CONCERN, [(first + place, kind, about) for place, kind, about in concerned])


def _compact(value: Mapping[str, object] | None) -> str:
    return compact(value) if value else "{}"
