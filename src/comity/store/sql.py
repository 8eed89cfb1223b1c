"""SQL texts, the blocks of each room's ``queries.sql``, and the transaction that runs them by name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence

import apsw

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
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

    def __init__(self) -> None:
        super().__init__()
        self._rooms: dict[str, Blocks] = {}

    def __missing__(self, name: str) -> str:
        room = name.partition(".")[0]
        found = self._of(room).statements.get(name)
        if found is None:
            raise LookupError(f"no statement {name!r}")
        sql = self[name] = filled(*found, lambda word: self._fragment(room, word))
        return sql

    def _of(self, room: str) -> Blocks:
        if room not in self._rooms:
            with open(os.path.join(_ROOMS, room, "queries.sql"), encoding="utf-8") as file:
                self._rooms[room] = blocks(room, file.read())
        return self._rooms[room]

    def _fragment(self, room: str, word: str) -> str | None:
        """The fragment that is called ``word`` in one room's file, or has the name of another room before it."""
        other, dot, name = word.partition(".")
        if not dot:
            return self._of(room).fragments.get(word)
        return self._of(other).fragments.get(name) if other.isidentifier() else None


class Blocks(NamedTuple):
    """One file: its statements, each a text and the word for ``{it}`` in it, and SQLite's words for its fragments."""

    statements: dict[str, tuple[str, str]]
    fragments: dict[str, str]


def blocks(room: str, text: str) -> Blocks:
    """The blocks of one file: everything between a ``-- name: x`` line and the next.

    One called ``x_{a,b}`` counts as two, ``x_a`` and ``x_b``, each with its own word for ``{it}``. Fragments of
    statements stand before them all, as ``-- sqlite: x``: what ``{x}`` is in SQLite.
    """
    head, *named = f"\n{text}".split("\n-- name: ")
    statements, fragments = {}, {}
    for block in head.split("\n-- sqlite: ")[1:]:
        name, _, body = block.partition("\n")
        fragments[name.strip()] = _bare(body)
    for block in named:
        name, _, body = block.partition("\n")
        start, _, rest = name.strip().partition("{")
        for it in rest.removesuffix("}").split(","):
            statements[f"{room}.{start}{it}"] = (body, it)
    return Blocks(statements, fragments)


def filled(body: str, it: str, fragment: Callable[[str], str | None]) -> str:
    """A block as SQL: comments left out, ``{it}`` and the fragments filled in. Other words in braces stay."""
    start, *rest = _bare(body).split("{")
    for part in rest:
        word, brace, end = part.partition("}")
        value = None if not brace else it if it and word == "it" else fragment(word)
        start += f"{{{part}" if value is None else value + end
    return start


def _bare(body: str) -> str:
    return "\n".join(line for line in body.splitlines() if line.strip() and not line.startswith("--"))


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
