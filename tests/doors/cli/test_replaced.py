"""A database that is not the one that was here: said once, and in a strict project not trusted."""

import json
import shutil
import subprocess

import apsw
import pytest

from tests.doors.cli.program import Done, Program
from tests.doors.hook.hooked import Hooked

pytestmark = pytest.mark.disk


@pytest.fixture
def used(comity: Program) -> Program:
    """A workspace in which something was done."""
    comity("init", "--hosts", "claude-code")
    comity("send", "hello", "--as", "ann")
    return comity


def _remove(comity: Program) -> None:
    for path in comity.db.parent.glob("*.db*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def test_each_door_says_once_that_it_is_gone(used: Program) -> None:
    _remove(used)
    assert "it is gone" in used("status").out
    assert "it is gone" in used("status", "--json").json["replaced"]
    assert "Replaced" in used("doctor").out
    first = used("send", "again", "--as", "ann")
    assert (first.code, "is not the one that was here: it is gone" in first.err) == (0, True)
    assert used("send", "again", "--as", "ann").err == ""
    assert "Replaced" not in used("doctor").out


def test_a_hook_says_it_once_and_lets_go(used: Program) -> None:
    hooked = Hooked(used)
    _remove(used)
    assert "is not the one that was here" in hooked("SessionStart", source="startup").out
    assert "is not the one" not in hooked("SessionStart", "S2", source="startup").out


def test_a_strict_project_lets_no_edit_go_until_somebody_says_that_it_is_meant(used: Program) -> None:
    hooked = Hooked(used)
    shutil.rmtree(used.folder / ".macp")
    assert "is not the one that was here: it is gone" in _strict_edit(hooked).out
    assert not (used.folder / ".macp").exists()
    used("init", "--hosts", "claude-code")
    assert _strict_edit(hooked).out == ""


def _strict_edit(hooked: Hooked) -> Done:
    asked = {"tool_name": "Write", "tool_input": {"file_path": str(hooked.folder / "a.py")}}
    payload = {"session_id": "S1", "cwd": str(hooked.folder), "hook_event_name": "PreToolUse", **asked}
    return hooked.raw(json.dumps(payload).encode(), "claude-code", "PreToolUse", COMITY_ENFORCEMENT="strict")


DOORS = [("mcp",), ("status",), ("doctor",), ("send", "x"), ("serve",)]
_CALLS = (
    {
        "id": 0,
        "method": "initialize",
        "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {}},
    },
    {"id": 1, "method": "tools/call", "params": {"name": "macp_ext_list_agents", "arguments": {}}},
)
CALLS = "".join(json.dumps({"jsonrpc": "2.0", **call}) + "\n" for call in _CALLS).encode()


def _git(comity: Program, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=comity.folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("door", DOORS)
def test_a_database_that_git_tracks_is_refused_by_name(used: Program, door: tuple[str, ...]) -> None:
    _git(used, "add", "-f", str(used.db))
    used("init", "--hosts", "claude-code")  # that is no word about a database that git tracks
    done = used(*door, stdin=CALLS)
    assert done.code != 0 or door == ("mcp",)
    assert "git tracks" in done.out + done.err
    assert "git rm" in done.out + done.err
    _git(used, "rm", "-q", "--cached", str(used.db))
    assert used("status").code == 0


@pytest.mark.parametrize("door", DOORS)
def test_a_database_of_a_newer_comity_is_refused_by_name(used: Program, door: tuple[str, ...]) -> None:
    connection = apsw.Connection(str(used.db))
    connection.execute("INSERT INTO comity_schema VALUES (99, 'later', '')").fetchall()
    connection.close()
    done = used(*door, stdin=CALLS)
    assert done.code != 0 or door == ("mcp",)
    assert "newer Comity" in done.out + done.err


def test_git_leaves_everything_alone_but_what_a_team_shares(used: Program) -> None:
    (used.folder / ".macp/comity.toml").write_text("")
    listed = _git(used, "status", "--porcelain", "--untracked-files=all", "--", ".macp", ".masc")
    assert {line[3:] for line in listed.splitlines()} == {".macp/comity.toml", ".macp/.gitignore"}


def test_a_database_that_nobody_initialised_is_kept_out_of_git_too(comity: Program) -> None:
    comity("send", "hello", "--as", "ann")
    assert _git(comity, "status", "--porcelain", "--untracked-files=all") == ""
    (comity.folder / ".macp/.gitignore").unlink()
    assert _git(comity, "status", "--porcelain", "--untracked-files=all") == ""


def test_foreign_triggers_are_named_and_do_not_hold_anybody(used: Program) -> None:
    connection = apsw.Connection(str(used.db))
    loop = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    connection.execute(
        f"CREATE TRIGGER theirs AFTER INSERT ON sessions BEGIN INSERT INTO audit_log (event_type) {loop}; END"
    ).fetchall()
    connection.close()
    hooked = Hooked(used)
    assert hooked("SessionStart", "S9", source="startup").code == 0
    assert hooked.journal()[-1]["did"] in ("error", "nothing")
    assert "trigger theirs" in used("doctor").out


def test_an_index_in_two_halves_is_asked_about_by_git(used: Program) -> None:
    (used.folder / "a.py").write_text("a")
    _git(used, "add", "a.py")
    _git(used, "update-index", "--split-index")
    assert used("status").code == 0
    _git(used, "add", "-f", str(used.db))
    assert "git tracks" in used("status").err


def test_a_log_that_git_tracks_is_refused_too(used: Program) -> None:
    log = used.db.with_name(used.db.name + "-wal")
    log.write_bytes(b"theirs")
    _git(used, "add", "-f", str(log))
    log.unlink()
    assert "git tracks .macp/garden.macp.db-wal" in used("status").err


@pytest.mark.parametrize("content", [b"", b"no index", b"DIRC\0\0\0\x09"])
def test_an_index_that_nobody_can_read_keeps_nobody_out(used: Program, content: bytes) -> None:
    (used.folder / ".git/index").write_bytes(content)
    assert used("status").code == 0
