"""The doctor finds what is wrong, tells what to do, and changes nothing."""

import os
from pathlib import Path

import apsw
import pytest

from comity.app import open as open_workspace
from comity.doors.cli.file_system_checks import type_of
from tests.doors.cli.program import Done, Program


def found(done: Done) -> dict[str, tuple[str, str]]:
    """Status and detail by check."""
    assert all(check["hint"] for check in done.json["checks"] if check["status"] != "ok")
    return {check["check"]: (check["status"], check["detail"]) for check in done.json["checks"]}


def state(comity: Program) -> dict[str, tuple[bytes, int]]:
    """Every file, its content and when it was written."""
    files = comity.files()
    return {name: (data, os.stat(comity.folder / name).st_mtime_ns) for name, data in files.items()}


def test_a_healthy_workspace(comity: Program) -> None:
    comity("init", "--hosts", "claude-code")
    comity("poll", "--as", "bob")
    comity("send", "hi", "--as", "ann")
    live = ("-shm", "/pair")  # as for every reader: the memory that it shares, and which log there is
    before = {name: seen for name, seen in state(comity).items() if not name.endswith(live)}
    done = comity("doctor", "--json")
    after = {name: seen for name, seen in state(comity).items() if not name.endswith(live)}
    assert (done.code, done.json["ok"]) == (0, True)
    checks = found(done)
    for check in ("Python", "SQLite", "Database", "Integrity", "Tables", "Malformed rows", "Growth", "Queues", "Git"):
        assert checks[check][0] == "ok", check
    assert checks["Host claude-code"] == ("ok", ".mcp.json")
    assert {name for name in after if name not in before} <= {".macp/garden.macp.db-wal"}
    assert all(after[name] == seen for name, seen in before.items())
    assert "Integrity" in comity("doctor").out


def test_nothing_is_made(comity: Program) -> None:
    done = comity("doctor", "--json")
    assert done.code == 0
    assert found(done)["Database"][0] == "warn"
    assert comity.files() == {}


@pytest.mark.parametrize("what", ["text", "folder", "empty", "rollback", "damaged", "foreign"])
def test_a_broken_database_is_told_and_left_alone(comity: Program, what: str) -> None:
    comity.db.parent.mkdir()
    if what == "text":
        comity.db.write_bytes(b"not a database" * 100)
    elif what == "folder":
        comity.db.mkdir()
    elif what == "empty":
        comity.db.touch()
    elif what in {"rollback", "foreign"}:
        connection = apsw.Connection(str(comity.db))
        if what == "foreign":
            connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.execute("CREATE TABLE messages (id INTEGER)").fetchall()
        connection.close()
    else:
        comity("poll")
        data = bytearray(comity.db.read_bytes())
        data[4096:] = b"\xff" * (len(data) - 4096)
        comity.db.write_bytes(data)
    before = {name: data for name, data in comity.files().items() if name.endswith(".db")}
    done = comity("doctor", "--json")
    after = {name: data for name, data in comity.files().items() if name.endswith(".db")}
    assert after == before
    worst = "warn" if what in {"empty", "rollback"} else "fail"
    statuses = [check["status"] for check in done.json["checks"]]
    assert done.code == (1 if worst == "fail" else 0), done.out
    assert worst in statuses
    assert comity("doctor").code == done.code


def test_a_file_of_the_original_is_not_changed(comity: Program) -> None:
    comity("poll")
    connection = apsw.Connection(str(comity.db))
    connection.execute("DROP TABLE comity_schema; DROP INDEX comity_messages_pending").fetchall()
    connection.close()
    before = comity.db.read_bytes()
    checks = found(comity("doctor", "--json"))
    assert checks["Tables"][0] == "warn"
    assert "comity_schema" in checks["Tables"][1]
    assert comity.db.read_bytes() == before


def test_malformed_rows_and_full_queues(comity: Program) -> None:
    with open_workspace(str(comity.folder), agent_id="slow", max_pending_messages="5") as slow:
        slow.session.start()
        for number in range(5):
            comity("send", f"word {number}", "--to", "slow")
    connection = apsw.Connection(str(comity.db))
    connection.execute("UPDATE messages SET from_json = '{' WHERE sequence_number = 1").fetchall()
    connection.execute("UPDATE messages SET state = 'lost' WHERE sequence_number = 2").fetchall()
    connection.close()
    checks = found(comity("doctor", "--json"))
    assert checks["Malformed rows"] == ("warn", "2 messages")
    assert checks["Queue"] == ("warn", "slow: 4 of 5 pending")


def test_other_users_and_the_original_are_pointed_out(comity: Program) -> None:
    comity("poll")
    comity.db.chmod(0o666)
    comity.db.parent.chmod(0o755)
    (comity.folder / ".mcp.json").write_text('{"mcpServers": {"macp": {"command": "npx", "args": ["-y", "macp-mcp"]}}}')
    (comity.folder / ".cursor").mkdir()
    (comity.folder / ".cursor" / "mcp.json").write_text("{")
    done = comity("doctor", "--json")
    checks = found(done)
    assert checks["Permissions"][0] == "warn"
    assert checks["Host claude-code"][0] == "warn"
    assert checks["Host cursor"][0] == "fail"
    assert done.code == 1


MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
23 22 0:5 / /mnt rw shared:1 - nfs4 server:/x rw
24 23 0:6 / /mnt/a\\040b rw master:2 - tmpfs none rw
25 22 0:7 / /mnt2 rw - 9p host rw
broken line
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [("/", "ext4"), ("/srv/x", "ext4"), ("/mnt", "nfs4"), ("/mnt/x", "nfs4"), ("/mnt/a b/c", "tmpfs"), ("/mnt2", "9p")],
)
def test_file_systems(folder: str, kind: str) -> None:
    assert type_of(str(Path(folder)), MOUNTS) == kind
