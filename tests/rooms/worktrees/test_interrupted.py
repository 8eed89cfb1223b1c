"""What a killed process left of making or removing a worktree is ended by the next call, and no work goes with it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.problem import Conflict
from comity.system.held_file import HeldFile
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git, run

NAME = ".worktrees/ann-task-001"


def _made(ann: Workspace) -> Path:
    return Path(ann.worktree.create(task_id="task-001").worktree.path)


def _killed(world: World, machine: FakeMachine, state: str) -> None:
    """As if a process had been killed while it was at ann's worktree."""
    process = machine.start()
    told = f'{{"pid":{process.pid},"started":"tick-9","boot_id":"boot-1","namespace":"pid:[1]"}}'
    with world.store.writing() as tx:
        tx.run("worktrees.move", name=NAME, state=state, process=told)
    machine.kill(process)


@pytest.mark.parametrize("gone", [["a.py"], ["a.py", ".git"]], ids=["some files", "what makes it a checkout"])
def test_a_removal_that_was_begun_is_ended(
    ann: Workspace, world: World, machine: FakeMachine, git: Git, gone: list[str]
) -> None:
    path = _made(ann)
    for name in gone:
        (path / name).unlink()
    _killed(world, machine, "removing")
    assert any("interrupted" in note for note in ann.worktree.list().notes)
    assert len(ann.worktree.mend().mended) == 1
    assert not path.exists()
    assert git("worktree", "list").count("\n") == 1
    assert git("branch", "--list", "ann/*") == ""
    assert ann.worktree.list().notes == []


def test_work_that_came_meanwhile_stays_and_what_was_gone_comes_back(
    ann: Workspace, world: World, machine: FakeMachine
) -> None:
    path = _made(ann)
    (path / "a.py").unlink()
    (path / "new.py").write_text("work\n")
    _killed(world, machine, "removing")
    assert "it stays" in ann.worktree.mend().mended[0]
    assert (path / "a.py").read_text() == "a.py\n"
    assert (path / "new.py").read_text() == "work\n"


def test_locks_that_a_killed_git_left_are_taken_away(
    ann: Workspace, world: World, machine: FakeMachine, root: Path, git: Git
) -> None:
    path = _made(ann)
    shutil.rmtree(path)
    git("worktree", "prune")
    git("branch", "-D", "ann/task-001")
    (root / ".git/refs/heads/ann").mkdir(exist_ok=True)
    locks = [root / ".git/refs/heads/ann/task-001.lock", root / ".git/packed-refs.lock"]
    for lock in locks:
        lock.write_text("")
    nameless = root / ".git/worktrees/ann-task-001"
    nameless.mkdir(parents=True)
    (nameless / "locked").write_text("initializing")
    _killed(world, machine, "making")
    assert ann.worktree.create(task_id="task-001").created
    assert not any(lock.exists() for lock in locks)
    assert [one.name for one in nameless.parent.iterdir()] == ["ann-task-001"]


def test_a_folder_that_somebody_deleted_is_made_again_and_others_are_not_forgotten(
    ann: Workspace, git: Git, root: Path
) -> None:
    path = _made(ann)
    away = root.parent / "away"
    git("worktree", "add", "-q", "-b", "theirs", str(away))
    away.rename(root.parent / "unmounted")
    shutil.rmtree(path)
    assert ann.worktree.create(task_id="task-001").created
    assert (path / "a.py").exists()
    assert str(away) in git("worktree", "list")


def test_one_that_somebody_elses_git_left_half_made_is_named(ann: Workspace, root: Path) -> None:
    path = _made(ann)
    (root / ".git/worktrees" / path.name / "locked").write_text("initializing")
    with pytest.raises(Conflict) as caught:
        ann.worktree.create(task_id="task-001")
    assert caught.value.reason == "worktree.half_made"
    assert path.exists()


def test_copies_are_listed_before_anything_is_removed(ann: Workspace, root: Path) -> None:
    path = _made(ann)
    (path / "new.py").write_text("work\n")
    (root / ".git/worktrees" / path.name / "locked").write_text("kept by me")
    with pytest.raises(Conflict):
        ann.worktree.remove(name="task-001", force=True, reason="a dead end")
    (root / ".git/worktrees" / path.name / "locked").unlink()
    ann.worktree.remove(name="task-001", force=True, reason="a dead end")
    (kept,) = ann.rescue.list(lost=True).versions
    assert ann.rescue.show(file="new.py", version=kept.version_id).text == "work\n"


def test_what_came_along_is_nobodys_work_until_it_is_changed(ann: Workspace, root: Path) -> None:
    (root / ".worktreeinclude").write_text("local.txt\n")
    (root / "local.txt").write_text("local\n")
    path = _made(ann)
    assert next(one for one in ann.worktree.list().worktrees if one.name == NAME).changed == 0
    (path / "local.txt").write_text("mine\n")
    with pytest.raises(Conflict) as caught:
        ann.worktree.remove(name="task-001")
    assert caught.value.reason == "worktree.work"
    (path / "local.txt").write_text("local\n")
    ann.worktree.remove(name="task-001")
    assert not path.exists()


def test_a_copy_by_halves_is_made_whole(ann: Workspace, world: World, machine: FakeMachine, root: Path) -> None:
    (root / ".worktreeinclude").write_text("*.log\n")
    (root / "local.log").write_text("one\ntwo\n")
    path = _made(ann)
    (path / "local.log").write_text("one\n")
    _killed(world, machine, "making")
    ann.worktree.create(task_id="task-001")
    assert (path / "local.log").read_text() == "one\ntwo\n"


def test_a_held_file_is_held_by_what_a_killed_process_had_started(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys\n"
        "from comity.system.held_file import HeldFile\n"
        "held = HeldFile(sys.argv[1], 'x.lock')\n"
        "assert held.take(0)\n"
        "subprocess.Popen(['cat'], pass_fds=held.kept)\n"
        "print('begun', flush=True)\n"
        "sys.stdout.close()\n"
        "held.take(1000)\n"
    )
    mine = HeldFile(str(tmp_path), "x.lock")
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stdout.readline() == b"begun\n"
        process.kill()
        process.wait()
        assert not mine.take(0), "what it had started goes on"
        process.stdin.close()
    with mine:
        assert mine.take(30)
    assert not (tmp_path / "x.lock").exists()


def test_git_is_not_asked_to_prune_what_lies_elsewhere(ann: Workspace, git: Git, root: Path) -> None:
    path = _made(ann)
    away = root.parent / "away"
    git("worktree", "add", "-q", "--detach", str(away))
    shutil.rmtree(away)
    shutil.rmtree(path)
    ann.worktree.remove(name="task-001")
    assert str(away) in git("worktree", "list")
    run(root, "worktree", "prune")
