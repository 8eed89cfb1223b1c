"""How git is started: by one module, with a deadline, a bound, and hardly any environment."""

from __future__ import annotations

import ast
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import comity
from comity.system import git as asked
from comity.system import git_process
from comity.system.deadline import DEADLINE, Deadline
from tests.system.repositories import git, repository, write

SOURCES = Path(comity.__file__).parent
# Both make repositories, to show something in them.
MAKERS = ("demo", "testing")
STARTERS = {"run", "call", "check_call", "check_output", "Popen", "getoutput", "system", "popen"}
STARTERS |= {"execv", "execve", "execvp", "execvpe", "spawnv", "spawnvp", "posix_spawn", "posix_spawnp"}
STARTERS |= {"create_subprocess_exec", "create_subprocess_shell"}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that comes first where programs are looked for."""
    for name in ("bin", "here"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "bin"


def program(path: Path, text: str) -> None:
    write(path, "git", text=f"#!/bin/sh\n{text}\n")
    (path / "git").chmod(0o755)


def run(place: Path, *arguments: str, most_bytes: int = 1000) -> bytes | None:
    return git_process.run(arguments, {}, str(place / "here"), most_bytes)


def reads(pipe: Path) -> bool:
    """Whether a process reads from it."""
    try:
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


def test_no_other_module_starts_git() -> None:
    def starting() -> Iterator[str]:
        for source in sorted(SOURCES.rglob("*.py")):
            name = source.relative_to(SOURCES).as_posix()
            if name.split("/")[0] in MAKERS:
                continue
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                called = ast.unparse(node.func).rpartition(".")[2]
                first = node.args[0] if node.args else None
                while isinstance(first, ast.List | ast.Tuple) and first.elts:
                    first = first.elts[0]
                text = first.value if isinstance(first, ast.Constant) else ""
                words = str(text).split()
                if called in STARTERS and words and os.path.basename(words[0]) in ("git", "git.exe"):
                    yield f"{name}:{node.lineno}"
            if (
                name.startswith("system/")
                and name not in ("system/processes.py", "system/foreground.py")
                and "subprocess" in source.read_text(encoding="utf-8")
            ):
                yield f"{name} knows subprocess"

    assert list(starting()) == []


def test_hardly_anything_of_the_environment_is_handed_on(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GIT_DIR", "GIT_CONFIG_PARAMETERS", "GIT_EXTERNAL_DIFF", "GIT_TRACE", "LD_PRELOAD_X", "PAGER"):
        monkeypatch.setenv(name, "x")
    program(path, "env")
    said = (run(tmp_path, most_bytes=10_000) or b"").decode()
    names = {line.partition("=")[0] for line in said.splitlines()} - {"PWD", "SHLVL", "_", "OLDPWD"}
    assert names <= {"PATH", "HOME", "TMPDIR", "XDG_CONFIG_HOME", "LC_ALL", *git_process._FIXED}
    assert {"LC_ALL", "GIT_TERMINAL_PROMPT"} <= names


def test_what_fails_or_says_too_much_is_no_answer(tmp_path: Path, path: Path) -> None:
    program(path, "printf 12345; exit $1")
    assert run(tmp_path, "0") == b"12345"
    assert run(tmp_path, "1") is None
    assert run(tmp_path, "0", most_bytes=4) is None
    program(path, "exec yes")
    assert run(tmp_path, most_bytes=1_000_000) is None
    assert run(tmp_path / "nowhere") is None
    (path / "git").write_bytes(b"")
    assert run(tmp_path) is None


def test_without_git_there_is_no_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = repository(tmp_path.resolve() / "repo")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asked.changed(str(folder)) is None


def test_it_ends_at_the_deadline_with_all_that_it_started(
    tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    program(path, f"echo begun > '{tmp_path}/begun'; (read x < '{tmp_path}/pipe'; echo > '{tmp_path}/lived') & wait")
    monkeypatch.setattr(git_process, "TIMEOUT_S", 0.3)
    began = time.monotonic()
    assert run(tmp_path) is None
    assert time.monotonic() - began < 5
    assert (tmp_path / "begun").exists()
    while time.monotonic() - began < 20 and reads(tmp_path / "pipe"):
        continue
    assert not reads(tmp_path / "pipe"), "its child is gone"
    assert not (tmp_path / "lived").exists()


def test_when_the_time_is_over_it_is_not_started(tmp_path: Path, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(path, f"touch '{tmp_path}/ran'")
    over = Deadline()
    over.after(-1000.0)
    monkeypatch.setattr(git_process, "DEADLINE", over)
    assert run(tmp_path) is None
    assert not (tmp_path / "ran").exists()
    assert not DEADLINE.over


def test_no_answer_is_not_nothing(tmp_path: Path) -> None:
    folder = repository(tmp_path.resolve() / "repo")
    assert asked.changed(str(folder)) == asked.ChangedPaths([], [], [])
    assert asked.changed(str(tmp_path)) == asked.ChangedPaths([], [], []), "there is no repository"
    git(folder, "stash")
    (folder / ".git/index").write_bytes(b"DIRC\0\0\0\2 no index at all")
    assert asked.changed(str(folder)) is None
    shown = (folder / ".git/objects").rename(folder / "gone")
    assert asked.top(str(folder)) is None, "without objects it is no repository"
    shown.rename(folder / ".git/objects")
