"""SQL blocks."""

from __future__ import annotations

import re
from pathlib import Path

import apsw
import pytest

from comity.store.sql import Statements, blocks, filled
from comity.store.sqlite import SqliteStore

ROOMS = Path(__file__).resolve().parents[2] / "src/comity/rooms"

TEXT = """
-- What this file holds.

-- Why there is a fragment.
-- sqlite: deadline
(x
  + 1)

-- name: first
SELECT 1,
  2  -- kept

-- Why there is a second.
-- name: second
SELECT {deadline} FROM t WHERE a = '{not_known}'
"""


def test_blocks() -> None:
    assert _parsed("room", TEXT) == {
        "room.first": "SELECT 1,\n  2  -- kept",
        "room.second": "SELECT (x\n  + 1) FROM t WHERE a = '{not_known}'",
    }


def test_two_statements_in_one_block() -> None:
    text = "-- name: by_{name,id}\nSELECT {it} FROM t\n-- name: all\nSELECT {it}"
    assert _parsed("room", text) == {
        "room.by_name": "SELECT name FROM t",
        "room.by_id": "SELECT id FROM t",
        "room.all": "SELECT {it}",
    }


def _parsed(room: str, text: str) -> dict[str, str]:
    found = blocks(room, text)
    return {name: filled(*block, found.fragments.get) for name, block in found.statements.items()}


def test_a_fragment_of_another_room() -> None:
    deadline = blocks("channels", (ROOMS / "channels/queries.sql").read_text(encoding="utf-8")).fragments["deadline"]
    assert f"AND {deadline} >= :second" in Statements()["turns.due"]


@pytest.mark.parametrize("name", ["channels.nothing_of_the_kind", "agents."])
def test_a_statement_that_is_not_there(name: str) -> None:
    with pytest.raises(LookupError):
        Statements()[name]


@pytest.mark.parametrize("room", sorted(path.parent.name for path in ROOMS.glob("*/queries.sql")))
def test_every_statement_can_be_prepared(tmp_path: Path, room: str) -> None:
    store = SqliteStore(tmp_path / "a.db")
    connection = store.take()
    names = blocks(room, (ROOMS / room / "queries.sql").read_text(encoding="utf-8")).statements
    for name in names:
        sql = store.statements[name]
        assert not re.search(r"\{[\w.]+\}", sql), f"{name}: a fragment that is not there"
        if not sql.startswith("PRAGMA"):
            parameters = dict.fromkeys(_parameters(connection, sql))
            connection.execute(f"EXPLAIN {sql}", parameters).fetchall()
    store.give(connection)
    store.close()


def _parameters(connection: apsw.Connection, sql: str) -> list[str]:
    found: list[str] = []

    class Names(dict[str, None]):
        def __missing__(self, name: str) -> None:
            found.append(name)

    connection.execute(f"EXPLAIN {sql}", Names()).fetchall()
    return found
