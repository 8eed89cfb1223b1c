"""What a checkout tells of files that were changed since some moment."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from comity.system import changed_files
from comity.system.changed_files import ChangedFiles, changed_since
from tests.rooms.edits.conftest import run


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A checkout with tracked, ignored and unknown files, all of them old."""
    folder = tmp_path.resolve() / "repo"
    for name in ("a.py", "src/b.py", "data/1/x", "data/2/y", "node_modules/z", "loose"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"{name}\n")
    (folder / ".gitignore").write_text("node_modules/\n*.log\n")
    run(folder, "init", "-q")
    run(folder, "add", "a.py", "src", ".gitignore")
    run(folder, "commit", "-q", "-m", "x")
    return folder


def since(top: Path) -> int:
    """A moment after everything that was written so far."""
    times = [
        info.st_ctime_ns
        for path in [top, *top.rglob("*")]
        if not path.is_relative_to(top / ".git")
        for info in [path.lstat()]
    ]
    return max(times) + 1


def wait_for_a_step(top: Path, mark_ns: int) -> None:
    """Until the file system's clock has moved on."""
    probe = top / ".git/probe"
    end = time.monotonic() + 10
    while time.monotonic() < end:
        probe.write_text("x")
        if probe.lstat().st_mtime_ns > mark_ns:
            return
    raise AssertionError("the file system's clock stands still")


def names(top: Path, look: ChangedFiles | None) -> list[str]:
    assert look is not None
    return sorted(os.path.relpath(one.path, top) for one in look.changed)


def test_a_quiet_checkout_is_seen_without_git(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mark_ns = since(top)
    look = changed_since(str(top), mark_ns)
    assert look is not None
    assert look.tree is not None
    assert (look.changed, look.tree.whole) == ([], True)
    assert sorted(look.tree.folders) == ["data", "data/1", "data/2"]
    monkeypatch.setenv("PATH", "")
    assert changed_since(str(top), mark_ns) is None, "there is no git"
    assert changed_since(str(top), mark_ns, look.tree) == ChangedFiles([], None)


@pytest.mark.parametrize(
    "name", ["a.py", "src/new.py", "data/1/x", "data/2/new", "data/3/new", "loose", "fresh/deep/er.py", "é \n.py"]
)
def test_what_was_written_is_found(top: Path, name: str) -> None:
    mark_ns = since(top)
    tree = changed_since(str(top), mark_ns)
    assert tree is not None
    wait_for_a_step(top, mark_ns)
    (top / name).parent.mkdir(parents=True, exist_ok=True)
    (top / name).write_text("changed\n")
    for known in (None, tree.tree):
        assert names(top, changed_since(str(top), mark_ns, known)) == [name]


def test_what_is_gone_or_moved_is_found(top: Path) -> None:
    mark_ns = since(top)
    tree = changed_since(str(top), mark_ns)
    assert tree is not None
    wait_for_a_step(top, mark_ns)
    (top / "a.py").unlink()
    (top / "src/b.py").rename(top / "data/b.py")
    assert names(top, changed_since(str(top), mark_ns, tree.tree)) == ["a.py", "data/b.py", "src/b.py"]


def test_what_is_ignored_restored_or_our_own_is_none(top: Path) -> None:
    mark_ns = since(top)
    wait_for_a_step(top, mark_ns)
    for name in ("x.log", "node_modules/new", ".macp/db", ".masc/x"):
        (top / name).parent.mkdir(exist_ok=True)
        (top / name).write_text("x")
    (top / "a.py").write_text("other\n")
    (top / "a.py").write_text("a.py\n")
    assert names(top, changed_since(str(top), mark_ns)) == []


def test_repositories_inside_are_looked_into(top: Path) -> None:
    (top / "inner").mkdir()
    (top / "inner/c.py").write_text("1\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
        run(top / "inner", *arguments)
    mark_ns = since(top)
    wait_for_a_step(top, mark_ns)
    (top / "inner/c.py").write_text("2\n")
    (top / "inner/d.py").write_text("2\n")
    look = changed_since(str(top), mark_ns)
    assert names(top, look) == ["inner/c.py", "inner/d.py"]
    assert look is not None
    assert look.tree is not None
    assert not look.tree.whole


def test_a_moment_is_before_what_is_written_after_it(top: Path) -> None:
    mark_ns = changed_files.mark()
    (top / "new.py").write_text("x")
    assert (top / "new.py").lstat().st_ctime_ns >= mark_ns
