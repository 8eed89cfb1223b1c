"""A checkout stays what it is when its folder is renamed, mounted or moved: claims, work and sessions hold there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.doors.cli.program import SOURCES
from tests.doors.hook.hooked import Hooked
from tests.doors.hook.terminal import Terminal, holders

_GIT = ("git", "-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "commit.gpgsign=false")
_BASH = {"tool_name": "Bash"}


def git(*arguments: object, cwd: Path) -> None:
    subprocess.run([*_GIT, *map(str, arguments)], cwd=cwd, check=True, capture_output=True)


def stands(hooked: Hooked, folder: Path) -> None:
    """Everybody is in this folder from now on."""
    hooked.folder = hooked.comity.folder = folder
    hooked.comity.db = folder / ".macp/garden.macp.db"


def runs(terminal: Terminal, session: str, command: str) -> str:
    """What is answered before a command."""
    return terminal.hook("PreToolUse", session, **_BASH, tool_input={"command": command}).out


@pytest.fixture
def garden(bare: Hooked) -> Hooked:
    """A repository with a project, in which A has work in a.py, and B has begun."""
    (bare.folder / ".macp").mkdir()
    (bare.folder / ".macp/config.json").write_text(json.dumps({"projectId": "garden"}))
    (bare.folder / "a.py").write_text("1\n")
    git("add", "a.py", cwd=bare.folder)
    git("commit", "-q", "-m", "x", cwd=bare.folder)
    stands(bare, Path(os.path.realpath(bare.folder)))
    ann, bob = Terminal(bare, "own"), Terminal(bare, "peer")
    ann.captured("session_start_startup", "aaaa-1111")
    bob.captured("session_start_startup", "bbbb-2222")
    assert ann.edits("a.py", "aaaa-1111") == ""
    (bare.folder / "a.py").write_text("A's\n")
    ann.hook("PostToolBatch", "aaaa-1111", tool_calls=[{"tool_name": "Edit", "tool_input": {"file_path": "a.py"}}])
    return bare


def test_work_is_its_agents_in_a_renamed_folder(garden: Hooked) -> None:
    new = garden.folder.with_name("orchard")
    garden.folder.rename(new)
    stands(garden, new)
    ann, bob = Terminal(garden, "own"), Terminal(garden, "peer")
    assert "claude-1111" in bob.edits("a.py", "bbbb-2222")
    for command in ("git checkout .", "git stash", "rm a.py", f"rm {new}/a.py", f"git -C {new} reset --hard"):
        assert "deny" in runs(bob, "bbbb-2222", command), command
    assert ann.edits("a.py", "aaaa-1111") == ""
    assert holders(garden) == {"a.py": "aaaa-1111"}
    listed = garden.comity("call", "work.list", "--json", LC_TERMINAL="person").json
    assert [one["agentId"] for one in listed["files"]] == ["aaaa-1111"]
    assert ann.command("release", "a.py").code == 0
    assert bob.edits("b.py", "bbbb-2222") == ""


def test_a_renamed_folder_and_a_new_one_in_its_place_are_two(garden: Hooked) -> None:
    old, new = garden.folder, garden.folder.with_name("orchard")
    old.rename(new)
    stands(garden, new)
    Terminal(garden, "peer").edits("b.py", "bbbb-2222")
    subprocess.run(["git", "clone", "-q", str(new), str(old)], check=True, capture_output=True)
    (old / ".macp").mkdir()
    (old / ".macp/config.json").write_text(json.dumps({"projectId": "garden"}))
    stands(garden, old)
    assert Terminal(garden, "third").edits("a.py", "cccc-3333") == ""
    stands(garden, new)
    assert "claude-1111" in Terminal(garden, "peer").edits("a.py", "bbbb-2222")


def test_a_copy_is_nobodys(garden: Hooked) -> None:
    """It has the database's rows as well, and the agents they name live."""
    copy = garden.folder.with_name("copy")
    subprocess.run(["cp", "-a", str(garden.folder), str(copy)], check=True)
    stands(garden, copy)
    assert Terminal(garden, "third").edits("a.py", "cccc-3333") == ""
    assert "deny" not in runs(Terminal(garden, "third"), "cccc-3333", "git checkout a.py")


def test_rows_of_an_older_version_are_understood(garden: Hooked) -> None:
    """It noted no names: where nobody moved anything a name is the path that it wrote."""
    for note in garden.folder.glob(".git/comity-*"):
        note.unlink()
    bob = Terminal(garden, "peer")
    assert "claude-1111" in bob.edits("a.py", "bbbb-2222")
    new = garden.folder.with_name("orchard")
    garden.folder.rename(new)
    stands(garden, new)
    assert "claude-1111" in bob.edits("a.py", "bbbb-2222")


def test_claims_of_another_implementation_count_by_any_path_of_the_checkout(garden: Hooked) -> None:
    """It keeps paths as they were given, and its claims are told of."""
    new = garden.folder.with_name("orchard")
    columns = "claim_id, file_path, agent_id, session_id, claimed_at, expires_at, reason"
    row = f"'c1', '{garden.folder}/b.py', 'aaaa-1111', 's', '2026-01-01T00:00:00.000Z', '2099-01-01T00:00:00.000Z', 'x'"
    garden.rows(f"INSERT INTO macp_ext_file_claims ({columns}) VALUES ({row})")
    garden.folder.rename(new)
    stands(garden, new)
    asked: dict[str, Any] = {"tool_name": "Edit", "tool_input": {"file_path": str(new / "b.py")}}
    answer = Terminal(garden, "peer").hook("PreToolUse", "bbbb-2222", **asked).out
    assert "claude-1111" in answer
    assert "deny" not in answer


def test_work_in_a_moved_worktree_is_its_agents(garden: Hooked) -> None:
    side, away = garden.folder.with_name("side"), garden.folder.with_name("away")
    git("worktree", "add", "-q", side, cwd=garden.folder)
    main = garden.folder
    wren, rook = Terminal(garden, "third"), Terminal(garden, "peer")
    garden.folder = side
    wren.captured("session_start_startup", "wwww-3333")
    assert wren.edits("a.py", "wwww-3333") == ""
    (side / "a.py").write_text("W's\n")
    git("worktree", "move", side, away, cwd=main)
    garden.folder = away
    assert "claude-3333" in rook.edits("a.py", "rrrr-4444")
    garden.folder = main
    assert "claude-3333" in rook.edits(f"{away}/a.py", "bbbb-2222"), "from the main checkout"
    assert "deny" in runs(rook, "bbbb-2222", f"git -C {away} checkout .")
    assert "deny" in runs(rook, "bbbb-2222", f"rm -rf {away}")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes mounts")
def test_an_agent_in_a_container_is_in_the_same_checkout(garden: Hooked) -> None:
    """It sees the repository under another path; its process is seen by nobody outside."""
    mounted = garden.folder.with_name("workspace")
    mounted.mkdir()
    asked = {"session_id": "cccc-3333", "cwd": str(mounted), "hook_event_name": "PreToolUse"}

    def inside(**told: Any) -> str:
        line = 'mount --bind "$1" "$2" || exit 77; cd "$2"; shift 2; exec "$@"'
        words = ["unshare", "-m", "--propagation", "private", "sh", "-c", line, "sh", str(garden.folder), str(mounted)]
        hook = [sys.executable, "-m", "comity", "hook", "claude-code", "PreToolUse"]
        done = subprocess.run(
            [*words, *hook],
            input=json.dumps(asked | told).encode(),
            env={**garden.comity.environment(), "PYTHONPATH": str(SOURCES)},
            cwd="/",
            capture_output=True,
            check=False,
        )
        if done.returncode in (1, 77):
            pytest.skip(f"no mounts here: {done.stderr.decode()}")
        return done.stdout.decode()

    edit = {"tool_name": "Edit", "tool_input": {"file_path": str(mounted / "a.py")}}
    assert "deny" in inside(**edit)
    for command in ("git checkout .", "git stash", "rm a.py"):
        assert "deny" in inside(**_BASH, tool_input={"command": command}), command
    assert "deny" not in inside(tool_name="Edit", tool_input={"file_path": str(mounted / "c.py")})
    assert holders(garden) == {"a.py": "aaaa-1111", "c.py": "cccc-3333"}
    assert "claude-3333" in Terminal(garden, "own").edits("c.py", "aaaa-1111")
