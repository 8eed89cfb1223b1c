"""What a shell command did to files that peers hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity import Workspace
from comity.rooms.channels import deliveries
from comity.rooms.edits.model import Breach
from comity.system import git as system_git
from comity.testing import World
from tests.wire_format import audit, dump


def test_a_breach_is_told_to_both_sides(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    ann.edit.check(files=["a.py"])
    world.clock.advance(300)
    bob.command.check(command="make")
    world.clock.advance(5)
    (root / "a.py").write_text("from a program\n")
    assert bob.edit.compare(command="make all").breaches == [Breach("a.py", "ann")]
    (event,) = audit(world.path, "edit.breached")
    assert event["agent_id"] == "ann"
    (to_ann,), (to_bob,) = ann.message.poll().deliveries, bob.message.poll().deliveries
    assert {to_ann.priority, to_bob.priority} == {2}
    assert all(map(deliveries.is_notice, (to_ann, to_bob)))
    assert to_ann.content == (
        'While a shell command of bob ("make all") ran, "a.py" changed, which you hold. Read it before you go on.'
    )
    assert to_bob.content == (
        'While your shell command ("make all") ran, "a.py" changed, which Ann (ann) holds. Its holder was told.'
    )
    assert bob.edit.compare().breaches == [], "told once"


def test_only_what_changed_since_the_look_counts(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    ann.edit.check(files=["a.py", "gone.txt"])
    (root / "a.py").write_text("Ann's edit\n")
    world.clock.advance(300)
    bob.command.check(command="make")
    (root / "a.py").write_text("Ann's edit\n")
    (root / "free.txt").write_text("nobody's\n")
    assert bob.edit.compare(command="touch a.py").breaches == []


def test_folders_and_globs_are_compared_through_git(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    ann.claim.acquire(files=["src", "*.md"])
    (root / "src/c.py").write_text("Ann's edit\n")
    world.clock.advance(300)
    bob.command.check(command="make")
    (root / "src/c.py").write_text("c.py\n")  # as the last commit has it: git lists it no more
    (root / "src/new file.py").write_text("")
    (root / "b.py").write_text("free")
    (root / "read.md").write_text("!")
    found = {breach.file_path for breach in bob.edit.compare().breaches}
    assert found == {"src/c.py", "src/new file.py", "read.md"}


def test_the_holder_itself_is_no_breach(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    ann.edit.check(files=["a.py"])
    world.clock.advance(300)
    bob.command.check(command="make")
    world.clock.advance(5)
    ann.edit.check(files=["a.py"])
    (root / "a.py").write_text("Ann's edit\n")
    assert bob.edit.compare().breaches == []
    ann.edit.check(files=["b.py"])
    world.clock.advance(300)
    bob.command.check(command="make")
    ann.command.check(command="make")
    (root / "b.py").write_text("from a command of Ann's\n")
    assert ann.edit.compare().breaches == []
    assert bob.edit.compare().breaches == []


def test_what_is_claimed_later_is_no_breach(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    ann.edit.check(files=["b.py"])
    bob.command.check(command="make")
    world.clock.advance(200)
    (root / "a.py").write_text("Bob's, and free\n")
    ann.claim.acquire(files=["*.py"])
    assert bob.edit.compare().breaches == []


def test_a_lone_agent_pays_nothing(
    world: World, ann: Workspace, bob: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No git, no write, no token: not alone, and not while peers hold nothing."""
    monkeypatch.setenv("PATH", "")
    assert system_git.changed(str(root)) is None
    bob.command.check(command="make")
    assert bob.edit.compare().breaches == []
    bob.session.end()
    before = dump(world.path)
    ann.command.check(command="make")
    ann.edit.compare(command="make")
    assert ann.git.check(command="git reset --hard").allowed
    assert dump(world.path) == before
