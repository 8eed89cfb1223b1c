"""Hooks in the user's own settings: beside what is there, for every folder, and taken back to the byte."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from comity.hosts import user_hooks
from comity.hosts.hook_install import WIRINGS
from comity.hosts.user_hooks import PLACES, UserFile
from comity.kernel.problem import Invalid
from tests.doors.cli.program import Program

OWN = '{"model": "x", /* mine */ "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}\n'


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = Path(tmp_path.resolve()) / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder


def run(*names: str, remove: bool = False, **env: str) -> tuple[UserFile, ...]:
    return user_hooks.apply(user_hooks.plan(names or None, env, {}, remove=remove), env)


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_host_gets_its_hooks_beside_what_is_there_and_gives_them_back(home: Path) -> None:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_text(OWN)
    before = tree(home)
    made = run(*PLACES)
    assert {one.host: one.problem for one in made} == dict.fromkeys(PLACES)
    assert '"command": "true"' in path.read_text()
    assert all(b"comity" in one.path.read_bytes() for one in made)
    assert all(one.action == "unchanged" for one in run(*PLACES))
    run(*PLACES, remove=True)
    assert tree(home) == before


def test_what_the_user_changed_meanwhile_stays(home: Path) -> None:
    path = home / ".codex" / "hooks.json"
    run("codex")
    found = json.loads(path.read_text())
    found["mine"] = True
    path.write_text(json.dumps(found))
    run("codex", remove=True)
    assert json.loads(path.read_text()) == {"mine": True}


def test_only_hosts_that_are_on_this_machine_are_asked_about(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(home))
    (home / ".gemini").mkdir()
    assert [one.host for one in user_hooks.plan(None, {}, {})] == ["gemini-cli"]


def test_a_host_may_have_its_folder_elsewhere(home: Path) -> None:
    elsewhere = home / "elsewhere"
    (one,) = run("claude-code", CLAUDE_CONFIG_DIR=str(elsewhere))
    assert one.path == elsewhere / "settings.json"


def test_a_file_that_cannot_be_read_is_left_as_it_is(home: Path) -> None:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    path.write_text("{ no json")
    (one,) = run("claude-code")
    assert one.action == "skipped"
    assert one.problem is not None
    assert path.read_text() == "{ no json"


def test_a_host_whose_hooks_of_the_user_are_not_known_is_refused(home: Path) -> None:
    with pytest.raises(Invalid, match="zed"):
        run("zed")


def test_every_place_is_of_a_host_with_hooks() -> None:
    assert set(PLACES) <= {wiring.host for wiring in WIRINGS}


def test_without_a_terminal_files_are_only_named(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "anywhere"
    folder.mkdir()
    comity = Program(folder, home)
    done = comity("init", "--user-hooks", "--hosts", "claude-code", "--json")
    assert done.code == 0
    assert done.json["userFiles"][0]["file"] == str(home / ".claude" / "settings.json")
    assert done.json["written"] is False
    assert tree(home) == {}
    assert tree(folder) == {}


def test_at_a_terminal_they_are_written_and_do_nothing_outside_of_a_workspace(tmp_path: Path, home: Path) -> None:
    folder = tmp_path / "anywhere"
    folder.mkdir()
    comity = Program(folder, home)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "comity", "init", "--user-hooks", "--hosts", "claude-code"],
        cwd=folder,
        env=comity.environment(),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
    ) as process:
        assert process.wait() == 0
    os.close(ours)
    os.close(theirs)
    hooks = json.loads((home / ".claude" / "settings.json").read_text())["hooks"]
    command = hooks["SessionStart"][0]["hooks"][0]["command"]
    payload = json.dumps({"session_id": "S1", "cwd": str(folder), "source": "startup"})
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env=comity.environment(),
        input=payload.encode(),
        capture_output=True,
        check=True,
    )
    assert done.stdout in (b"", b"{}")
    assert tree(folder) == {}
