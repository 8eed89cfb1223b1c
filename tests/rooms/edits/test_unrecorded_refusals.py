"""A refusal needs no write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import apsw
import pytest

from comity import Workspace
from comity.kernel.problem import Unavailable
from comity.rooms.edits.model import Verdict
from comity.testing import FakeMachine, World
from tests.wire_format import audit


@pytest.fixture
def locked(world: World, ann: Workspace, bob: Workspace, root: Path) -> Iterator[None]:
    """Ann holds a.py and has work in it, and Bob is there; another program holds the write lock."""
    assert bob.edit.check(files=["src/d.py"]).allowed
    ann.claim.acquire(files=["a.py"], reason="the parser")
    (root / "a.py").write_text("work\n")
    holder = apsw.Connection(world.path)
    holder.execute("BEGIN IMMEDIATE").fetchall()
    yield
    holder.close()


@pytest.fixture
def world() -> Iterator[World]:
    """One in which nobody waits long for a lock."""
    with World(busy_s=0.05) as made:
        yield made


@pytest.mark.parametrize(
    "ask",
    [
        lambda bob: bob.edit.check(files=["a.py"]),
        lambda bob: bob.edit.check(files=["b.py", "a.py"]),
        lambda bob: bob.command.check(command="echo x > a.py"),
        lambda bob: bob.command.check(command="rm -rf ."),
        lambda bob: bob.command.check(command="git stash"),
        lambda bob: bob.git.check(command="git checkout -- ."),
        lambda bob: bob.edit.held(files=["a.py"]),
    ],
)
@pytest.mark.usefixtures("locked")
def test_what_a_peer_holds_is_refused_though_nothing_can_be_written(
    bob: Workspace, ask: Callable[[Workspace], Verdict]
) -> None:
    verdict = ask(bob)
    assert not verdict.allowed
    assert verdict.holders == ("ann",)
    assert not verdict.recorded
    assert "the parser" in verdict.refusal


@pytest.mark.usefixtures("locked")
@pytest.mark.parametrize("files", [["b.py"], ["src/c.py"]])
def test_what_nobody_holds_cannot_be_claimed_then(bob: Workspace, files: list[str]) -> None:
    with pytest.raises(Unavailable) as away:
        bob.edit.check(files=files)
    assert away.value.reason == "store.locked"


@pytest.mark.usefixtures("locked")
def test_own_files_are_not_refused(ann: Workspace) -> None:
    with pytest.raises(Unavailable):
        ann.edit.check(files=["a.py", "b.py"])


def test_what_the_dead_hold_is_free(world: World, root: Path, machine: FakeMachine, bob: Workspace) -> None:
    process = machine.start()
    carl = world.agent("carl", root=str(root), observer=process)
    carl.claim.acquire(files=["b.py"])
    machine.kill(process)
    holder = apsw.Connection(world.path)
    holder.execute("BEGIN IMMEDIATE").fetchall()
    with pytest.raises(Unavailable):
        bob.edit.check(files=["b.py"])
    holder.close()


def test_it_is_recorded_again_once_that_is_possible(world: World, bob: Workspace, ann: Workspace) -> None:
    ann.claim.acquire(files=["a.py"])
    assert bob.edit.check(files=["a.py"]).recorded
    assert len(audit(world.path, "edit.refused")) == 1
