"""What ``init`` wrote is run once: a program that does not answer, is not found or will not stay is told at once."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import comity as package
from tests.doors.cli.program import TIMEOUT_S, Done, Program
from tests.hosts.installed import instead_of_ours

COMITY = Path(sys.executable).with_name("comity")


def init(folder: Path, command: list[str], path: str, **more: str) -> list[str]:
    """The notes of ``init``."""
    env = {"PATH": path, "HOME": str(folder.parent / "home"), "LANG": "C.UTF-8", **more}
    done = subprocess.run(
        [*command, "init", "--json"],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    notes: list[str] = json.loads(done.stdout)["notes"]
    return notes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "garden"
    subprocess.run(["git", "init", "-q", str(made)], check=True)
    return made


def test_a_server_that_is_not_on_path_is_told(folder: Path) -> None:
    (note,) = [one for one in init(folder, [str(COMITY)], "/usr/bin:/bin") if one.startswith("comity is not on PATH")]
    assert ".mcp.json and" in note
    assert "uv tool install comity" in note
    shutil.rmtree(folder / ".vscode")
    assert not [one for one in init(folder, [str(COMITY)], f"{COMITY.parent}:/usr/bin:/bin") if "not on PATH" in one]


@pytest.mark.parametrize("cache", [".cache/uv/archive-v0/abc/bin", "x/uv/builds-v0/.tmp/bin", ".cache/pipx/123/bin"])
def test_a_program_in_a_cache_is_told(folder: Path, tmp_path: Path, cache: str) -> None:
    place = tmp_path / cache
    place.mkdir(parents=True)
    shutil.copy(COMITY, place / "comity")
    notes = init(folder, [str(place / "comity")], "/usr/bin:/bin")
    assert [one for one in notes if f"Comity runs from a cache, {place}/comity" in one]


def test_a_module_that_python_runs_installs_hooks_that_answer(folder: Path, tmp_path: Path) -> None:
    """``python -m comity``, without a command ``comity`` beside it or on PATH."""
    base, site = getattr(sys, "_base_executable", sys.executable), tmp_path / "site"
    site.mkdir()
    for place in (str(Path(package.__file__).parents[1]), *(one for one in sys.path if "packages" in one)):
        for one in Path(place).iterdir():
            if one.suffix != ".pth" and not (site / one.name).exists():
                (site / one.name).symlink_to(one)
    notes = init(folder, [base, "-m", "comity"], "/usr/bin:/bin", PYTHONPATH=str(site))
    assert not [one for one in notes if "do not answer" in one]
    done = subprocess.run(
        [base, "-m", "comity", "doctor", "--canary", "claude-code"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path / "home"), "PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def hooks_of(done: Done, host: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What ``doctor`` says of a host's hooks: its line, and the state in detail."""
    (line,) = [one for one in done.json["checks"] if one["check"] == f"Hooks {host}"]
    (state,) = [one for one in done.json["hooks"] if one["host"] == host]
    return line, state


def program_in(folder: Path, script: str) -> Path:
    made = folder / "bin" / "comity"
    made.parent.mkdir()
    made.write_text(f"#!/bin/sh\n{script}\n")
    made.chmod(0o755)
    return made


def test_doctor_fails_for_an_installed_program_that_does_not_answer(comity: Program) -> None:
    comity("init", "--hosts", "gemini-cli", PATH=f"{COMITY.parent}:/usr/bin:/bin")
    _, state = hooks_of(comity("doctor", "--json", PATH=f"{COMITY.parent}:/usr/bin:/bin"), "gemini-cli")
    assert state["answers"] is True
    broken = program_in(comity.home, "exit 0")
    line, state = hooks_of(comity("doctor", "--json", PATH=f"{broken.parent}:/usr/bin:/bin"), "gemini-cli")
    assert line["status"] == "fail"
    assert "does not answer" in line["detail"]
    assert state["answers"] is False


def test_a_program_that_somebody_else_wrote_there_is_not_run(comity: Program) -> None:
    """Not by ``init`` either, where it may not write the file."""
    comity("init", "--hosts", "claude-code")
    ran = comity.home / "ran"
    strange = program_in(comity.home, f"touch {ran}")
    path = comity.folder / ".claude/settings.local.json"
    path.write_text(instead_of_ours(path.read_text(), str(strange)))
    _, state = hooks_of(comity("doctor", "--json"), "claude-code")
    assert state["answers"] is None
    path.write_text(path.read_text() + "}")
    comity("init", "--hosts", "claude-code,cursor")
    assert not ran.exists()


def test_where_no_folder_can_be_made_init_still_ends_well(folder: Path) -> None:
    locked = folder.parent / "file"
    locked.write_text("")
    env = {"TMPDIR": str(locked), "TEMP": str(locked), "TMP": str(locked)}
    assert isinstance(init(folder, [str(COMITY)], f"{COMITY.parent}:/usr/bin:/bin", **env), list)
    assert (folder / ".claude/settings.local.json").exists()
