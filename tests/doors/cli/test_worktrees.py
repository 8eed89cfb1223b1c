"""Worktrees, the radar and integration at a prompt: in a real repository, with real processes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import apsw
import pytest

from tests.doors.cli.program import Program
from tests.rooms.edits.conftest import run

CHECK = "test ! -e BAD"


@pytest.fixture
def garden(comity: Program) -> Program:
    """A repository with a commit, an installed host, and a task."""
    run(comity.folder, "symbolic-ref", "HEAD", "refs/heads/main")
    (comity.folder / "a.py").write_text("a\n")
    run(comity.folder, "add", "a.py")
    run(comity.folder, "commit", "-qm", "Begin.")
    assert comity("init", "--hosts", "claude-code").code == 0
    assert comity("task", "dispatch", "Parser").code == 0
    return comity


def _add(garden: Program) -> Path:
    made = garden("worktree", "add", "task-001", "--json")
    assert made.code == 0, made
    assert not made.json["notes"], made.json
    return Path(made.json["worktree"]["path"])


def test_hosts_are_set_up_in_a_new_worktree_and_no_secret_comes_along(garden: Program) -> None:
    servers = json.loads((garden.folder / ".mcp.json").read_text())
    servers["mcpServers"]["mine"] = {"command": "x", "env": {"KEY": "topsecret"}}
    (garden.folder / ".mcp.json").write_text(json.dumps(servers))
    settings = garden.folder / ".claude/settings.local.json"
    mine = json.loads(settings.read_text())
    settings.write_text(json.dumps({**mine, "env": {"TOKEN": "topsecret"}}))
    path = _add(garden)
    there = {str(one.relative_to(path)): one.read_text() for one in path.rglob("*") if one.is_file()}
    assert set(there) == {".git", "a.py", ".mcp.json", ".claude/settings.local.json", "AGENTS.md"}
    assert not any("topsecret" in text for text in there.values())
    assert set(json.loads(there[".mcp.json"])["mcpServers"]) == {"macp"}
    assert set(json.loads(there[".claude/settings.local.json"])["hooks"]) == set(mine["hooks"])
    listed = garden("worktree", "--json").json["worktrees"]
    assert [one.get("changed") for one in listed if not one.get("main")] == [0]
    assert garden("worktree", "remove", "task-001").code == 0
    assert not path.exists()


def test_what_git_tracks_and_what_is_there_is_left_alone(garden: Program) -> None:
    run(garden.folder, "add", ".mcp.json")
    run(garden.folder, "commit", "-qm", "Servers.")
    path = _add(garden)
    assert run(path, "status", "--porcelain") == "?? AGENTS.md\n"
    (path / "AGENTS.md").write_text("mine\n")
    again = garden("init", "--like-main", "--json", cwd=path)
    assert [one["file"] for one in again.json["files"]] == []
    assert (path / "AGENTS.md").read_text() == "mine\n"
    refused = garden("init", "--like-main", "--json")
    assert refused.error["reason"] == "init.no_worktree"


def test_hooks_claims_and_the_server_work_in_a_new_worktree_at_once(garden: Program) -> None:
    path = _add(garden)
    hooks = json.loads((path / ".claude/settings.local.json").read_text())["hooks"]
    command = hooks["PreToolUse"][0]["hooks"][0]["command"]
    assert garden("claim", "a.py", "--as", "bob", cwd=path).code == 0
    told = {
        "hook_event_name": "PreToolUse",
        "session_id": "one",
        "cwd": str(path),
        "tool_name": "Write",
        "tool_input": {"file_path": str(path / "a.py")},
    }
    done = subprocess.run(
        command,
        shell=True,  # as a host runs it
        input=json.dumps(told).encode(),
        cwd=path,
        env={**garden.environment(), "CLAUDE_PROJECT_DIR": str(path)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert b"deny" in done.stdout, done
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    asked = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}) + "\n"
    served = garden("mcp", "--agent-id", "ann", stdin=asked.encode(), cwd=path)
    assert json.loads(served.out.splitlines()[0])["result"]["serverInfo"]
    held = garden("claims", "--json").json["claims"]
    assert [(one["agentId"], one["filePath"]) for one in held] == [("bob", "a.py")]


def test_what_a_killed_command_left_is_named_by_doctor_and_ended(garden: Program) -> None:
    path = _add(garden)
    private = garden.folder / ".git/worktrees" / path.name
    (private / "locked").write_text("initializing")
    dead = subprocess.Popen(["true"])
    dead.wait()
    _as_if_killed(garden, dead.pid)
    found = garden("doctor", "--json").json["checks"]
    (told,) = [one for one in found if one["check"] == "Worktrees"]
    assert told["status"] == "warn"
    assert "comity worktree mend" in told["detail"]
    assert path.exists(), "doctor changes nothing"
    assert "half made" in garden("worktree", "mend").out
    assert not path.exists()
    after = garden("doctor", "--json").json["checks"]
    assert [one for one in after if one["check"] == "Worktrees" and one["status"] != "ok"] == []
    assert garden("integrate", "--mend").out == "Nothing was interrupted.\n"


def _as_if_killed(garden: Program, pid: int) -> None:
    connection = apsw.Connection(str(garden.db))
    (process,) = connection.execute("SELECT process FROM comity_worktrees").fetchall()[0]
    told = {**json.loads(str(process)), "pid": pid, "started": "0"}
    connection.execute("UPDATE comity_worktrees SET state = 'making', process = ?", (json.dumps(told),)).fetchall()
    connection.close()


@pytest.mark.parametrize("folder", ['it\'s "a" näme 日本', "with space"])
def test_a_repository_whose_path_is_odd_works_as_well(comity: Program, tmp_path: Path, folder: str) -> None:
    place = tmp_path / folder
    os.rename(comity.folder, place)
    odd = Program(place, comity.home)
    run(place, "symbolic-ref", "HEAD", "refs/heads/main")
    run(place, "config", "core.autocrlf", "true")
    (place / "a.py").write_bytes(b"a\r\nb\r\n")
    run(place, "add", "a.py")
    run(place, "commit", "-qm", "Begin.")
    odd("task", "dispatch", "Parser")
    path = Path(odd("worktree", "add", "task-001", "--json").json["worktree"]["path"])
    assert (path / "a.py").read_bytes() == b"a\r\nb\r\n"
    assert run(path, "status", "--porcelain") == ""
    (path / "a.py").write_bytes(b"a\r\nb\r\nc\r\n")
    run(path, "commit", "-qam", "More.")
    landed = odd("integrate", "task-001", COMITY_CHECK_COMMAND=CHECK)
    assert (landed.code, "landed" in landed.out) == (0, True), landed
    assert (place / "a.py").read_bytes() == b"a\r\nb\r\nc\r\n"


def test_a_files_odd_name_stays_on_one_line(garden: Program) -> None:
    path, name = _add(garden), 'a\n"b".py'
    for place, text in ((garden.folder, "1\n"), (path, "2\n")):
        (place / name).write_text(text)
        run(place, "add", name)
        run(place, "commit", "-qm", "Add.")
    for done in (garden("radar"), garden("integrate", "task-001", COMITY_CHECK_COMMAND=CHECK)):
        assert '"b".py' not in done.out.splitlines()
        assert name not in done.out
        assert ".py" in done.out
