"""A checkout has one name, whatever path leads to it; a copy has another one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from comity.system.repository import CHECKOUTS, git_folder

_ASK = """
import sys
from comity.system import checkouts
for line in sys.argv[1:]:
    how, path = line.split(":", 1)
    if how == "open":
        checkouts.remember([path])
    print(checkouts.name_of(path) if how in ("open", "name") else checkouts.here(path))
"""


def asked(*lines: str) -> list[str]:
    """What a process of its own says: ``open:PATH`` and ``name:PATH`` its name, ``here:NAME`` where that is."""
    done = subprocess.run([sys.executable, "-c", _ASK, *lines], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def git(*words: object, cwd: Path) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org")
    subprocess.run(["git", *identity, *map(str, words)], cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return Path(os.path.realpath(tmp_path))


@pytest.fixture
def one(place: Path) -> Path:
    """A repository in which somebody was at work."""
    folder = place / "one"
    (folder / "src").mkdir(parents=True)
    (folder / "src/a.py").write_text("a\n")
    git("init", "-q", cwd=folder)
    git("add", ".", cwd=folder)
    git("commit", "-q", "-m", "start", cwd=folder)
    assert asked(f"open:{folder}") == [str(folder)]
    return folder


def test_a_checkout_that_nobody_moved_is_named_by_its_path(place: Path, one: Path) -> None:
    assert asked(f"name:{one}", f"name:{one}/src", f"here:{one}/src", f"name:{place}/nowhere") == [
        str(one),
        f"{one}/src",
        f"{one}/src",
        f"{place}/nowhere",
    ]


def test_a_renamed_checkout_keeps_its_name(place: Path, one: Path) -> None:
    for new in ("two", "three"):
        one.rename(place / new)
        moved, one_path = place / new, str(one)
        assert asked(f"name:{moved}", f"here:{one_path}/src/a.py") == [one_path, f"{moved}/src/a.py"]
        assert asked(f"open:{moved}", f"name:{moved}/src") == [one_path, f"{one_path}/src"]
        moved.rename(one)


def test_a_copy_is_another_checkout(place: Path, one: Path) -> None:
    subprocess.run(["cp", "-a", one, place / "copy"], check=True)
    assert asked(f"open:{place}/copy", f"here:{one}") == [f"{place}/copy", str(one)]
    shutil.rmtree(one)
    assert asked(f"name:{place}/copy") == [f"{place}/copy"]


def test_what_was_moved_away_from_a_path_keeps_its_name_from_the_next_one_there(place: Path, one: Path) -> None:
    git("worktree", "add", "-q", place / "side", cwd=one)
    assert asked(f"open:{place}/side") == [f"{place}/side"]
    git("worktree", "move", place / "side", place / "away", cwd=one)
    assert asked(f"open:{place}/away", f"here:{place}/side") == [f"{place}/side", f"{place}/away"]
    git("worktree", "add", "-q", "-b", "next", place / "side", cwd=one)
    (other,) = asked(f"open:{place}/side")
    assert other not in (f"{place}/side", f"{place}/away")
    assert asked(f"name:{place}/away", f"name:{place}/side") == [f"{place}/side", other]


def test_a_worktree_made_anew_has_its_paths_name(place: Path, one: Path) -> None:
    """Whatever inode it gets: file systems use those of what is gone again."""
    for number in range(3):
        git("worktree", "add", "-q", "-b", f"b{number}", place / f"side{number % 2}", cwd=one)
        assert asked(f"open:{place}/side{number % 2}") == [f"{place}/side{number % 2}"]
        git("worktree", "remove", place / f"side{number % 2}", cwd=one)


def test_a_worktree_inside_moves_along(place: Path, one: Path) -> None:
    git("worktree", "add", "-q", one / ".claude/worktrees/x", cwd=one)
    inside = f"{one}/.claude/worktrees/x"
    assert asked(f"open:{inside}") == [inside]
    one.rename(place / "two")
    git("worktree", "repair", place / "two/.claude/worktrees/x", cwd=place / "two")
    moved = f"{place}/two/.claude/worktrees/x"
    assert asked(f"name:{place}/two", f"name:{moved}", f"here:{inside}") == [str(one), inside, moved]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes mounts")
def test_a_checkout_mounted_elsewhere_is_the_same(place: Path, one: Path) -> None:
    (place / "workspace").mkdir()
    line = 'mount --bind "$1" "$2" || exit 77; shift 2; exec "$0" "$@"'
    words = ["unshare", "-m", "--propagation", "private", "sh", "-c", line, sys.executable, str(one)]
    asks = ["-c", _ASK, f"open:{place}/workspace", f"here:{one}/src", f"here:{place}/workspace/src"]
    done = subprocess.run([*words, str(place / "workspace"), *asks], capture_output=True, text=True, check=False)
    if done.returncode in (1, 77):
        pytest.skip(f"no mounts here: {done.stderr}")
    assert done.stdout.splitlines() == [str(one), f"{place}/workspace/src", f"{place}/workspace/src"]
    assert asked(f"name:{one}", f"here:{place}/workspace/src") == [str(one), f"{one}/src"]


def test_a_folder_without_git_is_one_that_keeps_its_name(place: Path) -> None:
    folder = place / "plain"
    (folder / ".macp").mkdir(parents=True)
    assert asked(f"open:{folder}") == [str(folder)]
    folder.rename(place / "moved")
    assert asked(f"open:{place}/moved") == [str(folder)]
    subprocess.run(["cp", "-a", place / "moved", place / "copy"], check=True)
    assert asked(f"open:{place}/copy") == [f"{place}/copy"]


def test_devices_count_within_one_boot(one: Path, place: Path) -> None:
    """After a restart the file system may have another number."""
    git_of = git_folder(one)
    assert git_of is not None
    notes = Path(git_of) / CHECKOUTS
    device = str(os.stat(one).st_dev)
    text = notes.read_text()
    boot = text.split("\t")[3]
    one.rename(place / "two")
    there = place / "two/.git" / CHECKOUTS
    there.write_text(text.replace(f"{device}\t", "99999\t").replace(boot, "an-earlier-boot"))
    assert asked(f"name:{place}/two") == [str(one)]
    there.write_text(text.replace(f"{device}\t", "99999\t"))
    assert asked(f"name:{place}/two") == [f"{place}/two"], "another file system of this boot"


@pytest.mark.parametrize("text", ["", "\n\t\t\n", "a\tb\n", "\x00" * 100, "1\t2\t\t3\t4\t5\t6\n", "x" * 300_000])
def test_notes_that_say_nothing_are_none(one: Path, text: str) -> None:
    git_of = git_folder(one)
    assert git_of is not None
    (Path(git_of) / CHECKOUTS).write_text(text)
    assert asked(f"open:{one}", f"here:{one}/src") == [str(one), f"{one}/src"]


def test_notes_stay_small(place: Path, one: Path) -> None:
    git_of = git_folder(one)
    assert git_of is not None
    notes = Path(git_of) / CHECKOUTS
    gone = "".join(f"1\t{number}\t7\tboot\t{place}/gone{number}\t{place}/gone{number}\n" for number in range(1000))
    notes.write_text(notes.read_text() + gone)
    git("worktree", "add", "-q", place / "side", cwd=one)
    assert asked(f"open:{place}/side") == [f"{place}/side"]
    assert len(notes.read_text().splitlines()) == 2
