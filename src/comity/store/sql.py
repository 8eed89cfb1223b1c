"""SQL texts, the ``-- name:`` blocks of each room's ``queries.sql`` with the dialect's fragments filled in, and the
transaction that runs them by name.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import apsw

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.hints import Any
from comity.kernel.scope import Row
from comity.kernel.text import compact

_ROOMS = os.path.join(os.path.dirname(os.path.dirname(__file__)), "rooms")
_APPEND = (
    "INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, reason_code, metadata_json,"
    " timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_CONCERN = "INSERT INTO comity_event_subjects (audit_id, kind, id) VALUES (?, ?, ?)"


class Statements(dict[str, str]):
    """SQL by name (``room.statement``); a room's file is read when one of its statements is first
    asked for, and a statement filled in when it is asked for itself.
    """

    def __init__(self, fragments: dict[str, str]) -> None:
        super().__init__()
        self._fragments = fragments
        self._rooms: dict[str, dict[str, Block]] = {}

    def __missing__(self, name: str) -> str:
        room = name.partition(".")[0]
        if room not in self._rooms:
            with open(os.path.join(_ROOMS, room, "queries.sql"), encoding="utf-8") as file:
                self._rooms[room] = blocks(room, file.read())
        if name not in self._rooms[room]:
            raise LookupError(f"no statement {name!r}")
        sql = self[name] = filled(*self._rooms[room][name], self._fragments)
        return sql


Block = tuple[str, str]  # the text under a name, and the word for ``{it}`` in it


def blocks(room: str, text: str) -> dict[str, Block]:
    """The blocks of one file: everything between a ``-- name: x`` line and the next.

    One called ``x_{a,b}`` counts as two, ``x_a`` and ``x_b``, each with its own word for ``{it}``.
    """
    found = {}
    for block in f"\n{text}".split("\n-- name: ")[1:]:
        name, _, body = block.partition("\n")
        start, _, rest = name.strip().partition("{")
        for it in rest.removesuffix("}").split(","):
            found[f"{room}.{start}{it}"] = (body, it)
    return found


def filled(body: str, it: str, fragments: dict[str, str]) -> str:
    """A block as SQL: comments left out, the fragments filled in."""
    lines = [line for line in body.splitlines() if line.strip() and not line.startswith("--")]
    sql = "\n".join(lines)
    if it:
        sql = sql.replace("{it}", it)
    for fragment, value in fragments.items():
        sql = sql.replace("{" + fragment + "}", value)
    return sql


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
