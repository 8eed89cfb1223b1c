"""Uncommitted work is kept before it can be lost, and given back byte for byte."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from comity import Problem, Workspace
from comity.kernel.scope import Keeping
from comity.rooms.rescue.model import KeptVersion
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git
from tests.rooms.edits.test_work_in_progress import edit
from tests.wire_format import audit

ODD = bytes(range(256)) * 3


def lost(agent: Workspace) -> list[str]:
    return [one.file_path for one in agent.rescue.list(lost=True).versions]


def only(agent: Workspace) -> KeptVersion:
    (version,) = agent.rescue.list().versions
    return version


def test_what_disappears_is_told_to_both_and_restored(
    world: World, ann: Workspace, bob: Workspace, root: Path, store: Path
) -> None:
    """A program of Bob's throws away what nobody could see it would; git's own objects are no help."""
    edit(ann, root, "a.py", "Ann's\n")
    edit(ann, root, "src/new.py", "new\n")
    (root / "src/new.py").chmod(0o755)
    world.clock.advance(60)
    assert bob.command.check(command="python3 tidy.py").allowed
    (root / "a.py").write_text("a.py\n")
    (root / "src/new.py").unlink()
    shutil.rmtree(root / ".git/objects/pack", ignore_errors=True)
    assert len(bob.edit.compare(command="python3 tidy.py").breaches) == 2
    for agent in (ann, bob):
        (told,) = agent.message.poll().deliveries
        assert '"a.py", "src/new.py" changed' in told.content
        assert "comity rescue restore FILE gives it back" in told.content
    (event,) = audit(world.path, "edit.breached")
    assert '"kept":["a.py","src/new.py"]' in event["metadata_json"]
    assert sorted(lost(bob)) == ["a.py", "src/new.py"]
    assert ann.rescue.diff(file="a.py").diff.endswith("-a.py\n+Ann's\n")
    for name, text in (("a.py", "Ann's\n"), ("src/new.py", "new\n")):
        assert bob.rescue.restore(file=name).changed
        assert (root / name).read_text() == text
    assert lost(bob) == []
    assert not bob.command.check(command="git stash -u").allowed, "it is Ann's again"


def test_a_copy_is_kept_of_each_version_that_lands(ann: Workspace, bob: Workspace, root: Path, store: Path) -> None:
    for text in ("one\n", "two\n", "three\n"):
        edit(ann, root, "new.py", text)
    versions = bob.rescue.list(files=["new.py"]).versions
    assert [bob.rescue.show(file="new.py", version=one.version_id).text for one in versions] == [
        "three\n",
        "two\n",
        "one\n",
    ]
    assert only(bob).versions == 3
    found = [path for path in (store / "copies").rglob("*") if path.is_file()]
    assert len(found) == 3
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}


def test_it_is_taken_before_a_command_of_a_peer(ann: Workspace, bob: Workspace, root: Path) -> None:
    """No hook told that the edit was made, and the file was changed by hand since."""
    ann.edit.check(files=["a.py"])
    (root / "a.py").write_text("Ann's\n")
    bob.command.check(command="make")
    assert bob.rescue.show(file="a.py").text == "Ann's\n"
    (root / "a.py").write_text("Ann's, by hand\n")
    bob.command.check(command="make")
    assert bob.rescue.show(file="a.py").text == "Ann's, by hand\n"


def test_newer_work_is_not_overwritten_unasked(ann: Workspace, bob: Workspace, root: Path, git: Git) -> None:
    edit(ann, root, "a.py", "old\n")
    old = only(ann).version_id
    edit(ann, root, "a.py", "newer\n")
    with pytest.raises(Problem) as held:
        bob.rescue.restore(file="a.py", version=old)
    assert held.value.reason == "rescue.held"
    with pytest.raises(Problem) as newer:
        ann.rescue.restore(file="a.py", version=old)
    assert newer.value.reason == "rescue.newer"
    assert (root / "a.py").read_text() == "newer\n"
    done = ann.rescue.restore(file="a.py", version=old, overwrite=True)
    assert (root / "a.py").read_text() == "old\n"
    assert done.overwrote is not None
    assert ann.rescue.show(file="a.py", version=done.overwrote).text == "newer\n"
    git("checkout", "-q", "--", "a.py")
    assert ann.rescue.restore(file="a.py", version=done.overwrote).overwrote is None, "nothing was lost by it"


def test_a_persons_work_is_kept_before_a_sweep(ann: Workspace, bob: Workspace, root: Path) -> None:
    """Nobody of the agents has changed it, so nothing is refused."""
    (root / "b.py").write_text("a person's\n")
    (root / "theirs.txt").write_bytes(ODD)
    (root / "build.log").write_text("ignored\n")
    assert bob.command.check(command="git stash -u").allowed
    assert {one.file_path: one.agent_id for one in bob.rescue.list().versions} == {"b.py": "", "theirs.txt": ""}
    shown = bob.rescue.show(file="theirs.txt")
    assert (shown.text, shown.base64 is not None) == (None, True)
    (root / "theirs.txt").unlink()
    bob.rescue.restore(file="theirs.txt")
    assert (root / "theirs.txt").read_bytes() == ODD


def test_what_git_ignores_is_kept_only_of_an_agents_own_hand(ann: Workspace, bob: Workspace, root: Path) -> None:
    ann.command.check(command="make")
    (root / "build.log").write_text("made\n")
    ann.edit.compare(command="make")
    assert ann.rescue.list().versions == []
    edit(ann, root, "notes.log", "written\n")
    assert only(ann).file_path == "notes.log"


def test_the_workspace_itself_is_never_kept(ann: Workspace, bob: Workspace, root: Path, store: Path, git: Git) -> None:
    (root / ".gitignore").write_text("*.log\n")
    ann.command.check(command="make")
    (store / "config.json").write_text("{}")
    (root / "out.py").write_text("1\n")
    ann.edit.compare(command="make")
    ann.edit.check(files=[".macp/shop.macp.db"])
    bob.command.check(command="git stash -u")
    assert {one.file_path for one in ann.rescue.list().versions} <= {"out.py", ".gitignore"}


def test_an_agent_alone_keeps_nothing(ann: Workspace, root: Path, store: Path) -> None:
    ann.edit.check(files=["a.py"])
    (root / "a.py").write_text("work\n")
    assert not ann.edit.pending().others
    ann.command.check(command="make")
    ann.edit.compare(command="make")
    assert not (store / "copies").exists()


def test_it_is_bounded_by_size_and_age(
    world: World, root: Path, machine: FakeMachine, store: Path, bob: Workspace
) -> None:
    keeping = Keeping(total_bytes=250, file_bytes=100, days=2)
    ann = world.agent("ann", root=str(root), observer=machine.start(), database=world.path, keeping=keeping)
    edit(ann, root, "large.py", "x" * 101)
    assert ann.rescue.list().versions == []
    for number in range(40):
        edit(ann, root, "new.py", f"{number}" * 40)
    kept = ann.rescue.list(files=["new.py"]).versions
    assert sum(one.size_bytes for one in kept) <= 250 + 16 * 80
    assert kept[0].content == ann.rescue.show(file="new.py").version.content
    world.clock.advance(3 * 86_400)
    edit(ann, root, "other.py", "y")
    off = ann.acting_as(ann.actor._replace(keeping=Keeping(total_bytes=0)))
    with pytest.raises(Problem) as gone:
        off.rescue.show(file="other.py")
    assert gone.value.reason == "rescue.gone"


def test_all_of_it_can_be_thrown_away(ann: Workspace, bob: Workspace, root: Path, store: Path) -> None:
    edit(ann, root, "a.py")
    assert ann.rescue.purge().removed == 1
    assert ann.rescue.list().versions == []
    assert [path for path in (store / "copies").rglob("*") if path.is_file()] == []
    assert (root / "a.py").read_text() == "work\n"


@pytest.mark.parametrize("name", ["none.py", "../outside.py", "/etc/hosts"])
def test_what_is_not_kept_is_told(ann: Workspace, name: str) -> None:
    with pytest.raises(Problem) as unknown:
        ann.rescue.restore(file=name)
    assert unknown.value.reason == "rescue.unknown"


def test_a_link_is_not_written_through(ann: Workspace, bob: Workspace, root: Path, tmp_path: Path) -> None:
    edit(ann, root, "src/new.py", "work\n")
    shutil.rmtree(root / "src")
    (tmp_path / "elsewhere").mkdir()
    os.symlink(tmp_path / "elsewhere", root / "src")
    with pytest.raises(Problem):
        ann.rescue.restore(file="src/new.py")
    assert list((tmp_path / "elsewhere").iterdir()) == []


@pytest.mark.parametrize("how", ["removed", "as committed"])
def test_something_left_running_is_no_excuse_for_work_that_is_gone(
    world: World, ann: Workspace, bob: Workspace, root: Path, how: str
) -> None:
    """A server of Ann's may change her files; it neither removes nor undoes what she made."""
    edit(ann, root, "a.py", "Ann's\n")
    ann.command.check(command="./server &")
    ann.edit.compare(command="./server &")
    world.clock.advance(60)
    assert bob.command.check(command="python3 tidy.py").allowed
    (root / "a.py").unlink() if how == "removed" else (root / "a.py").write_text("a.py\n")
    assert [one.file_path for one in bob.edit.compare(command="python3 tidy.py").breaches] == ["a.py"]
    assert lost(bob) == ["a.py"]


def test_what_is_left_running_may_change_its_own_files(
    world: World, ann: Workspace, bob: Workspace, root: Path
) -> None:
    edit(ann, root, "a.py", "Ann's\n")
    ann.command.check(command="./server &")
    ann.edit.compare(command="./server &")
    world.clock.advance(60)
    assert bob.command.check(command="make").allowed
    (root / "a.py").write_text("Ann's, formatted\n")
    assert bob.edit.compare(command="make").breaches == []


@pytest.mark.parametrize("now", ["made by the program\n", "a.py\n"])
def test_work_that_is_younger_than_the_command_that_destroys_it_is_told_of(
    world: World, ann: Workspace, bob: Workspace, root: Path, now: str
) -> None:
    """Also when the file is then as it was at the beginning of the command."""
    assert bob.command.check(command="python3 slow.py").allowed
    world.clock.advance(60)
    edit(ann, root, "a.py", "Ann's\n")
    edit(ann, root, "b.py", "Ann's\n")
    world.clock.advance(60)
    (root / "a.py").write_text(now)
    assert [one.file_path for one in bob.edit.compare(command="python3 slow.py").breaches] == ["a.py"]
    assert lost(bob) == ["a.py"]


def test_what_looks_quiet_is_looked_at_all_the_same(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    """Git ignores the file, so that neither its index nor what it does not know tells of it."""
    edit(ann, root, "notes.log", "Ann's\n")
    for _ in range(2):  # the first look learns what there is
        world.clock.advance(60)
        bob.command.check(command="make")
        assert bob.edit.compare(command="make").breaches == []
        with world.store.reading() as tx:
            assert tx.one("edits.open", agent_id="bob") == (0,), "it is over"
    world.clock.advance(60)
    bob.command.check(command="make")
    (root / "notes.log").write_text("")
    assert [one.file_path for one in bob.edit.compare(command="make").breaches] == ["notes.log"]
    assert lost(bob) == ["notes.log"]
