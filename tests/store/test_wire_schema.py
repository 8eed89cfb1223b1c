"""The tables of a file equal the wire schema of MACP v1.0, whoever made it first; own things are called comity_."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw
import pytest

from comity.store.sqlite import SqliteStore
from tests import wire_format
from tests.wire_format import CORE, CORE_INDEXES, EXTENSION, EXTENSION_INDEXES, rows

TABLES = {**wire_format.tables(CORE), **wire_format.tables(EXTENSION)}
INDEXES = {**CORE_INDEXES, **EXTENSION_INDEXES}


def made_by_comity(path: Path) -> None:
    SqliteStore(path).close()


def made_by_the_original_core_only(path: Path) -> None:
    connection = apsw.Connection(str(path))
    for statement in ("PRAGMA journal_mode = WAL", *wire_format.ddl(CORE, CORE_INDEXES)):
        connection.execute(statement).fetchall()
    connection.close()
    SqliteStore(path).close()


def made_by_the_original(path: Path) -> None:
    connection = apsw.Connection(str(path))
    extension = wire_format.ddl(EXTENSION, EXTENSION_INDEXES)
    for statement in ("PRAGMA journal_mode = WAL", *wire_format.ddl(CORE, CORE_INDEXES), *extension):
        connection.execute(statement).fetchall()
    connection.close()
    SqliteStore(path).close()


def made_by_comity_then_the_original(path: Path) -> None:
    SqliteStore(path).close()
    made_by_the_original(path)


@pytest.fixture(
    scope="module",
    params=[
        made_by_comity,
        made_by_the_original_core_only,
        made_by_the_original,
        made_by_comity_then_the_original,
    ],
    ids=lambda make: make.__name__,
)
def path(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that Comity has opened; the tests only look at it."""
    target = tmp_path_factory.mktemp("wire") / "wire.macp.db"
    request.param(target)
    return target


@pytest.mark.parametrize("table", TABLES)
def test_columns(path: Path, table: str) -> None:
    found = rows(path, f"PRAGMA table_xinfo({table})")
    wanted = [
        (place, column.name, column.type, int(column.not_null), column.default, column.pk, 0)
        for place, column in enumerate(TABLES[table])
    ]
    assert found == wanted


@pytest.mark.parametrize("table", TABLES)
def test_foreign_keys(path: Path, table: str) -> None:
    found = {
        row[3]: (row[2], row[4], row[6], row[5], row[7]) for row in rows(path, f"PRAGMA foreign_key_list({table})")
    }
    wanted = {column.name: (*column.link, "NO ACTION", "NONE") for column in TABLES[table] if column.link is not None}
    assert found == wanted


@pytest.mark.parametrize("table", TABLES)
def test_unique_constraints(path: Path, table: str) -> None:
    found = set()
    for _, name, unique, origin, partial in rows(path, f"PRAGMA index_list({table})"):
        if origin in {"u", "pk"}:
            assert (unique, partial) == (1, 0)
            found.add((origin, tuple(row[2] for row in rows(path, f"PRAGMA index_info({name})"))))
        else:
            assert not unique, f"{name} refuses rows that other implementations may write"
    columns = TABLES[table]
    wanted: set[tuple[str, tuple[str, ...]]] = {("u", (column.name,)) for column in columns if column.unique}
    key = tuple(column.name for column in columns if column.pk)
    if columns[0].type != "INTEGER":  # an integer key is the row's own number and needs no index
        wanted.add(("pk", key))
    assert found == wanted


@pytest.mark.parametrize("index", INDEXES)
def test_indexes(path: Path, index: str) -> None:
    table, columns = INDEXES[index]
    assert rows(path, "SELECT tbl_name FROM sqlite_schema WHERE type = 'index' AND name = ?", index) == [(table,)]
    found = [row[1:4] for row in rows(path, f"PRAGMA index_list({table})") if row[1] == index]
    assert found == [(index, 0, "c")]
    keys = [row for row in rows(path, f"PRAGMA index_xinfo({index})") if row[5]]
    assert [(row[2], row[3], row[4]) for row in keys] == [(column, 0, "BINARY") for column in columns]


def test_the_original_adds_nothing_to_a_file_that_comity_made(tmp_path: Path) -> None:
    made_by_comity(tmp_path / "a.db")
    before = schema(tmp_path / "a.db")
    made_by_the_original(tmp_path / "a.db")
    assert schema(tmp_path / "a.db") == before


def test_nothing_else_but_comity_things(path: Path) -> None:
    names = {(row[0], row[1]) for row in schema(path)}
    named = {("table", name) for name in TABLES} | {("index", name) for name in INDEXES}
    assert named <= names
    for kind, name in names - named:
        assert name.startswith(("comity_", "sqlite_")), f"{kind} {name} is neither the protocol's nor named comity_"


def test_tables_are_ordinary_ones(path: Path) -> None:
    for _, name, kind, _, without_rowid, strict in rows(path, "PRAGMA table_list"):
        own = name.startswith("comity_") and kind != "view" and "_fts" not in name  # those no trigger may name
        if name in TABLES or own:
            assert (kind, without_rowid if name in TABLES else 0, strict) == ("table", 0, 0), name
    for table, sql in rows(path, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'"):
        if table in TABLES:
            assert "CHECK" not in sql.upper()
            assert ("AUTOINCREMENT" in sql.upper()) == (table == "audit_log")


def test_triggers_are_own_and_speak_of_own_tables_only(path: Path) -> None:
    for name, sql in rows(path, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"):
        assert name.startswith("comity_")
        assert "AFTER" in sql.upper()
        assert "_fts" not in sql, f"{name}: not every SQLite that writes the file has FTS5"


def test_the_protocols_version_fields_stay_untouched(path: Path) -> None:
    for pragma, value in (("user_version", 0), ("application_id", 0), ("journal_mode", "wal"), ("encoding", "UTF-8")):
        assert rows(path, f"PRAGMA {pragma}") == [(value,)]


def test_created_at_defaults_to_sqlites_time_in_utc(tmp_path: Path) -> None:
    path = tmp_path / "wire.macp.db"
    made_by_comity(path)
    rows(path, "INSERT INTO agents VALUES ('a', 'a', '', '')")
    rows(
        path,
        'INSERT INTO messages (delivery_id, message_id, from_json, destination_type, "to", content, sequence_number,'
        " context_json, ack_json, timestamp, destination_agent_id)"
        " VALUES ('d', 'm', '{}', 'agent', 'a', 'x', 1, '{}', '{}', '', 'a')",
    )
    ((created, distance_s),) = rows(
        path, "SELECT created_at, abs(strftime('%s', 'now') - strftime('%s', created_at)) FROM messages"
    )
    assert len(created) == len("2026-01-01 00:00:00")
    assert distance_s < 60


def test_reopening_changes_nothing(path: Path) -> None:
    before = schema(path), rows(path, "SELECT * FROM comity_schema")
    SqliteStore(path).close()
    assert (schema(path), rows(path, "SELECT * FROM comity_schema")) == before


def schema(path: Path) -> list[tuple[Any, ...]]:
    return rows(path, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
