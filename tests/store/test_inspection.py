"""A look into a database file: what it is, what it lacks, what others put into it. Looking changes nothing."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from comity.database import Database, form, log_bytes, newest_schema, tables
from comity.store.sqlite import SqliteStore
from tests.wire_format import rows


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A new database that nobody has open."""
    name = tmp_path / "a.db"
    SqliteStore(name).close()
    return str(name)


def test_what_a_file_is_shows_in_its_first_bytes(tmp_path: Path, path: str) -> None:
    for name, content in (
        ("empty", b""),
        ("strange", b"no database, though it has words"),
        ("short", b"SQLite format 3\0"),
    ):
        (tmp_path / name).write_bytes(content)
    rows(tmp_path / "rollback", "CREATE TABLE t (a)")
    assert form(path) == "wal"
    assert {name: form(str(tmp_path / name)) for name in ("empty", "strange", "short", "rollback")} == {
        "empty": "empty",
        "strange": "strange",
        "short": "rollback",
        "rollback": "rollback",
    }
    with pytest.raises(FileNotFoundError):
        form(str(tmp_path / "gone"))


def test_a_new_database_lacks_nothing_and_has_nothing_foreign(path: str) -> None:
    with Database.of(path) as looked:
        assert (looked.errors(), looked.foreign(), looked.malformed_messages()) == ([], [], 0)
        assert looked.differences() == ([], [], [])
        assert looked.schema() == newest_schema()
    assert {"agents", "messages", "comity_tasks"} <= {table.name for table in tables()}
    assert not [table.name for table in tables() if table.name.startswith("sqlite_")]


def test_what_others_changed_is_named(path: str) -> None:
    with apsw.Connection(path) as other:
        other.execute("DROP TABLE comity_edits; DROP INDEX comity_messages_pending; DROP TABLE macp_ext_profiles")
        other.execute("CREATE TABLE macp_ext_profiles (slug TEXT)")
    other.close()
    with Database.of(path) as looked:
        missing, changed, lost = looked.differences()
    assert missing == ["comity_edits"]
    assert changed == ["macp_ext_profiles"]
    assert "comity_messages_pending" in lost


@pytest.mark.parametrize("name", ["evil", "sqliteXevil", "comity_search_data", "comity_memories_updated"])
def test_a_foreign_trigger_is_found_whatever_it_is_called(path: str, name: str) -> None:
    with apsw.Connection(path) as other:
        other.execute(f"DROP TRIGGER IF EXISTS {name}")
        other.execute(f"CREATE TRIGGER {name} AFTER INSERT ON agents BEGIN DELETE FROM messages; END")
    other.close()
    with Database.of(path) as looked:
        assert looked.foreign() == [f"trigger {name}"]


def test_looking_only_reads_and_leaves_the_log(path: str) -> None:
    store = SqliteStore(path)
    with store.writing() as tx:
        tx.run("channels.add_channel", channel_id="a", now="")
    before = log_bytes(path)
    with Database.of(path) as looked:
        assert looked.errors() == []
        with pytest.raises(apsw.ReadOnlyError):
            looked._rows("DELETE FROM channels")
    assert log_bytes(path) == before > 0
    store.close()
    with Database.frozen(path) as still:
        assert still.errors() == []


def test_a_damaged_file_is_told_in_words(path: str) -> None:
    with open(path, "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 4)
    with Database.frozen(path) as looked:
        assert looked.errors() != []
