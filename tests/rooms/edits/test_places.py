"""Where a file lies decides whose it is, and not where the agent stands."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comity import Workspace
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import run
from tests.rooms.edits.test_work_in_progress import edit


@pytest.fixture
def worktree(root: Path) -> Path:
    """A linked worktree inside the main checkout, as some hosts make them."""
    folder = root / ".claude/worktrees/w1"
    run(root, "worktree", "add", "-q", str(folder), "-b", "w1")
    return folder


@pytest.fixture
def wes(world: World, root: Path, worktree: Path, machine: FakeMachine) -> Workspace:
    """An agent in the linked worktree."""
    return world.agent(
        "wes", root=str(root), worktree=str(worktree), observer=machine.start(worktree=str(worktree)), name="Wes"
    )


def test_a_file_of_another_worktree_is_its_holders_there(
    ann: Workspace, wes: Workspace, bob: Workspace, root: Path, worktree: Path
) -> None:
    edit(ann, root, "a.py")
    edit(wes, worktree, "b.py")
    assert wes.edit.check(files=["a.py"]).allowed, "its own one"
    for command in (f"sed -i s/a/b/ {root}/a.py", f"cd {root} && git checkout -- a.py", f"git -C {root} stash"):
        assert wes.command.check(command=command).holders == ("ann",)
    assert wes.edit.check(files=[str(root / "a.py")]).holders == ("ann",)
    for command in (f"echo x > {worktree}/b.py", f"cd {worktree} && git checkout .", f"git -C {worktree} reset --hard"):
        assert bob.command.check(command=command).holders == ("wes",)
    assert bob.edit.check(files=[str(worktree / "b.py")]).holders == ("wes",)
    assert bob.edit.check(files=["b.py"]).allowed


@pytest.mark.parametrize(
    "command",
    [
        *("git worktree remove --force .claude/worktrees/w1", "rm -rf .claude/worktrees/w1", "rm -rf .claude"),
        *("mv .claude/worktrees/w1 /tmp/away", "git branch -D w1", "rm -r .claude/worktrees/*"),
    ],
)
def test_a_folder_in_which_somebody_works_is_held(
    world: World, bob: Workspace, wes: Workspace, command: str, machine: FakeMachine
) -> None:
    refused = bob.command.check(command=command)
    assert refused.holders == ("wes",)
    assert 'Wes (wes) works in "w1" just now' in refused.refusal
    assert bob.command.check(command="git branch -D other").allowed
    wes.session.end()
    assert bob.command.check(command=command).allowed


def test_what_lies_in_a_repository_inside_is_the_workspaces(
    ann: Workspace, bob: Workspace, root: Path, tmp_path: Path
) -> None:
    other = tmp_path.resolve() / "library"
    for folder in (other, root / "nested"):
        folder.mkdir()
        (folder / "n.py").write_text("1\n")
        for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "x"]):
            run(folder, *arguments)
    run(root, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other), "vendor/sub")
    run(root, "commit", "-q", "-m", "sub")
    for name in ("nested/n.py", "vendor/sub/n.py"):
        edit(ann, root, name)
        folder = (root / name).parent
        assert bob.edit.check(files=[name]).holders == ("ann",)
        for command in ("git checkout -- .", "git checkout n.py", "git reset --hard", "git stash"):
            assert bob.command.check(command=command, cwd=str(folder)).holders == ("ann",)
            assert bob.command.check(command=f"cd {os.path.relpath(folder, root)} && {command}").holders == ("ann",)
    assert bob.command.check(command="git submodule foreach 'git reset --hard'").holders == ("ann",)
    assert bob.command.check(command="git submodule update --force").holders == ("ann",)
    assert bob.command.check(command="git stash").allowed, "of the outer one"
    (root / "nested/m.py").write_text("2\n")
    run(root / "nested", "add", ".")
    run(root / "nested", "commit", "-q", "-m", "y")
    assert bob.command.check(command="git reset --hard", cwd=str(root / "nested")).allowed


def test_a_hard_link_is_the_file(ann: Workspace, bob: Workspace, root: Path, tmp_path: Path) -> None:
    edit(ann, root, "a.py")
    os.link(root / "a.py", root / "second.py")
    os.link(root / "a.py", tmp_path / "outside.py")
    for path in ("second.py", str(tmp_path / "outside.py")):
        assert bob.edit.check(files=[path]).holders == ("ann",)
        assert bob.command.check(command=f"echo x >> '{path}'").holders == ("ann",)
    assert ann.edit.check(files=["second.py"]).allowed
    os.link(root / "b.py", root / "third.py")
    assert bob.edit.check(files=["third.py"]).allowed


def test_a_link_leads_to_its_file(ann: Workspace, bob: Workspace, root: Path, tmp_path: Path) -> None:
    edit(ann, root, "src/c.py")
    (tmp_path / "way").symlink_to(root / "src")
    (root / "d.py").symlink_to("src/c.py")
    for path in (str(tmp_path / "way/c.py"), "d.py"):
        assert bob.edit.check(files=[path]).holders == ("ann",)
