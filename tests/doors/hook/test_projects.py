"""A session's edits and commands are asked of the workspace that a file belongs to, wherever the session stands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.doors.cli.program import Done, Program
from tests.doors.hook.hooked import Hooked, refusal

_GIT = ("git", "-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "commit.gpgsign=false")


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "a.py").write_text("1\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        subprocess.run([*_GIT, *arguments], cwd=folder, check=True)
    (folder / ".macp").mkdir()
    (folder / ".macp/config.json").write_text(json.dumps({"projectId": folder.name}))
    return folder


@pytest.fixture
def front(tmp_path: Path) -> Hooked:
    """A project in which F and G work."""
    (tmp_path / "home").mkdir()
    hooked = Hooked(Program(repository(tmp_path / "front"), tmp_path / "home"))
    hooked("SessionStart", "F", source="startup")
    hooked("SessionStart", "G", source="startup")
    return hooked


@pytest.fixture
def back(tmp_path: Path, front: Hooked) -> Hooked:
    """Another one, in which B has work in a.py."""
    hooked = Hooked(Program(repository(tmp_path / "back"), tmp_path / "home"))
    hooked("SessionStart", "B", source="startup")
    assert refusal(hooked.edit("a.py", "B")) == ""
    (hooked.folder / "a.py").write_text("B's\n")
    asked = {"tool_name": "Write", "tool_input": {"file_path": str(hooked.folder / "a.py")}}
    hooked("PostToolBatch", "B", tool_calls=[asked])
    return hooked


def ask(hooked: Hooked, cwd: Path, session: str = "F", **told: Any) -> Done:
    """A question of a session of ``hooked`` whose shell stands in ``cwd``."""
    payload = {"session_id": session, "cwd": str(cwd), "hook_event_name": "PreToolUse", **told}
    return hooked.raw(json.dumps(payload).encode(), "claude-code", "PreToolUse", cwd=cwd)


def write(path: Path) -> dict[str, Any]:
    return {"tool_name": "Write", "tool_input": {"file_path": str(path)}}


def shell(command: str) -> dict[str, Any]:
    return {"tool_name": "Bash", "tool_input": {"command": command}}


def test_another_project_guards_its_files(front: Hooked, back: Hooked) -> None:
    file = back.folder / "a.py"
    for told in (
        write(file),
        shell(f"sed -i s/1/2/ {file}"),
        shell(f"cd {back.folder} && git checkout ."),
        shell(f"git -C {back.folder} stash"),
        shell(f"rm -rf {back.folder}"),
    ):
        assert "B" in refusal(ask(front, front.folder, **told))
    assert refusal(ask(front, front.folder, **write(back.folder / "free.py"))) == ""
    assert back.rows("SELECT agent_id FROM macp_ext_file_claims WHERE file_path = 'free.py'") == [("F",)]


def test_a_shell_that_wandered_off_is_still_asked_at_home(front: Hooked, back: Hooked, tmp_path: Path) -> None:
    assert refusal(front.edit("a.py", "G")) == ""
    (front.folder / "a.py").write_text("G's\n")
    for cwd in (back.folder, tmp_path):
        assert "G" in refusal(ask(front, cwd, **write(front.folder / "a.py")))
        assert "G" in refusal(ask(front, cwd, **shell(f"git -C {front.folder} reset --hard")))
    assert refusal(ask(front, tmp_path, **write(tmp_path / "notes.txt"))) == ""


def test_a_repository_inside_without_a_workspace_belongs_to_the_one_around(front: Hooked) -> None:
    inner = front.folder / "inner"
    inner.mkdir()
    subprocess.run(["git", "init", "-q", str(inner)], check=True)
    assert refusal(front.edit("inner/x.py", "G")) == ""
    (inner / "x.py").write_text("G's\n")
    assert "G" in refusal(ask(front, inner, **write(inner / "x.py")))
    assert "G" in refusal(ask(front, inner, **shell("git clean -f")))


def test_what_a_command_did_elsewhere_is_its_agents_there(front: Hooked, back: Hooked) -> None:
    made = shell(f"cd {back.folder} && python3 make.py")
    assert refusal(ask(front, front.folder, **made)) == ""
    (back.folder / "made.py").write_text("F's\n")
    front("PostToolBatch", "F", tool_calls=[made])
    found = back.rows("SELECT file_path, agent_id FROM comity_work ORDER BY file_path")
    assert found == [("a.py", "B"), ("made.py", "F")]


def test_another_project_that_cannot_be_asked_stops_nobody(front: Hooked, back: Hooked) -> None:
    back.comity.db.write_bytes(b"no database" * 999)
    for name in ("-wal", "-shm"):
        Path(f"{back.comity.db}{name}").unlink(missing_ok=True)
    assert ask(front, front.folder, **write(back.folder / "a.py")).out == ""
    assert "why" in front.journal()[-1]
