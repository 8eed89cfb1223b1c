"""Hooks and whoever waits: the end of a session, its host's end, and a commit make room."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from tests.doors.hook.hooked import Hooked, refusal


def committed(hooked: Hooked) -> None:
    """The repository has a commit with a file."""
    (hooked.folder / "a.txt").write_text("first\n")
    (hooked.folder / ".gitignore").write_text(".macp/\n.claude/\n")
    run(hooked, "add", ".")
    run(hooked, "commit", "-q", "-m", "Begin.")


def run(hooked: Hooked, *arguments: str) -> None:
    identity = ("-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *arguments], cwd=hooked.folder, check=True, capture_output=True)


def claims(hooked: Hooked) -> list[tuple[str, str]]:
    listed = hooked.comity("claims", "--json").json["claims"]
    return [(claim["agentId"], claim["filePath"]) for claim in listed]


def work(hooked: Hooked) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hooked.comity("call", "work.list", "--json").json["files"]
    return found


def test_work_of_a_session_that_ended_was_left_behind_and_is_kept(hooked: Hooked) -> None:
    """Nobody told that its last edit was made."""
    committed(hooked)
    hooked("SessionStart", source="startup")
    assert refusal(hooked.edit("a.txt")) == ""
    (hooked.folder / "a.txt").write_text("work of S1\n")
    hooked("SessionEnd", reason="exit")
    assert claims(hooked) == []
    assert [(one["filePath"], one["state"], one["kept"]) for one in work(hooked)] == [("a.txt", "left behind", True)]
    begun = hooked("SessionStart", "S2", source="startup").out
    assert "left behind uncommitted" in json.loads(begun)["hookSpecificOutput"]["additionalContext"]
    hooked.edit("a.txt", "S2")  # it may have to read the file first: both happened within a second
    assert refusal(hooked.edit("a.txt", "S2")) == ""


def test_a_cleared_session_goes_on_with_its_work(hooked: Hooked) -> None:
    committed(hooked)
    hooked("SessionStart", "S2", source="startup")
    hooked("SessionStart", source="startup")
    assert refusal(hooked.edit("a.txt")) == ""
    (hooked.folder / "a.txt").write_text("work of S1\n")
    hooked("SessionEnd", reason="clear")
    assert [one["state"] for one in work(hooked)] == ["in progress"]
    assert "a.txt" in refusal(hooked.edit("a.txt", "S2"))


def test_a_commit_makes_room_for_whoever_waits(hooked: Hooked) -> None:
    committed(hooked)
    for session in ("S1", "S2"):
        hooked("SessionStart", session, source="startup")
    assert refusal(hooked.edit("a.txt")) == ""
    (hooked.folder / "a.txt").write_text("work of S1\n")
    hooked("PostToolUse", tool_name="Write", tool_input={"file_path": str(hooked.folder / "a.txt")})
    assert "stand in line for it" in refusal(hooked.edit("a.txt", "S2"))
    placed = hooked.comity("claim", "a.txt", "--as", "bob", "--in-line")
    assert placed.out.startswith("In line for a.txt: place 1, behind S1")
    commit: dict[str, Any] = {"tool_name": "Bash", "tool_input": {"command": "git commit -qam work"}}
    assert refusal(hooked("PreToolUse", **commit)) == ""
    run(hooked, "commit", "-q", "-am", "Work.")
    hooked("PostToolUse", **commit)
    assert claims(hooked) == [("bob", "a.txt")]
    assert "bob claimed" in refusal(hooked.edit("a.txt"))
