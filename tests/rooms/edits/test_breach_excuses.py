"""A holder's own commands excuse what they may have done to its file, and nothing else."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.scope import HostSession
from comity.rooms.edits.breach_excuses import Ran, Window, explains
from comity.rooms.edits.looks import leaves_running
from comity.rooms.edits.model import Breach
from comity.testing import FakeMachine, World

OURS = [Breach("a.py", "ann")]


@pytest.fixture
def held(world: World, ann: Workspace, bob: Workspace, root: Path) -> Path:
    """Ann holds a.py, for the whole day; Bob is about."""
    ann.claim.acquire(files=["a.py"], ttl_seconds=86_400)
    world.clock.advance(300)
    assert bob.claim.list().claims
    return root / "a.py"


def run(world: World, agent: Workspace, file: Path | None = None, command: str = "make") -> None:
    """A whole command of an agent, which writes a file or does not."""
    agent.command.check(command=command)
    world.clock.advance(1)
    if file is not None:
        file.write_text(f"{world.clock.now().ms}\n")
    world.clock.advance(1)
    assert agent.edit.compare(command=command).breaches == []
    world.clock.advance(1)


def test_a_command_of_the_holder_that_changed_nothing_excuses_nothing(
    world: World, ann: Workspace, bob: Workspace, held: Path
) -> None:
    for order in ("before", "after"):
        bob.command.check(command="make")
        world.clock.advance(1)
        if order == "before":
            held.write_text(f"Bob's, {order} Ann's command\n")
        world.clock.advance(1)
        run(world, ann)
        if order == "after":
            held.write_text(f"Bob's, {order} Ann's command\n")
        assert bob.edit.compare(command="make").breaches == OURS, order
        world.clock.advance(1)


def test_what_changed_beside_the_holders_own_change_is_a_breach(
    world: World, ann: Workspace, bob: Workspace, held: Path
) -> None:
    bob.command.check(command="make")
    world.clock.advance(1)
    run(world, ann, held)
    held.write_text("Bob's, later\n")
    assert bob.edit.compare().breaches == OURS
    bob.command.check(command="make")
    world.clock.advance(1)
    held.write_text("Bob's, earlier\n")
    world.clock.advance(1)
    ann.command.check(command="make")
    world.clock.advance(1)
    assert bob.edit.compare().breaches == OURS, "Ann's command runs yet"


def test_what_the_holder_may_have_done_is_none(world: World, ann: Workspace, bob: Workspace, held: Path) -> None:
    bob.command.check(command="make")
    world.clock.advance(1)
    run(world, ann, held)
    run(world, ann)
    run(world, ann, held)
    assert bob.edit.compare().breaches == []
    ann.command.check(command="make")
    world.clock.advance(1)
    bob.command.check(command="make")
    world.clock.advance(1)
    held.write_text("anybody's\n")
    assert bob.edit.compare().breaches == []


@pytest.mark.parametrize("command", ["make watch &", "nohup make", "(sleep 3; make) & echo"])
def test_what_the_holder_left_running_excuses(
    world: World, ann: Workspace, bob: Workspace, held: Path, command: str
) -> None:
    run(world, ann, command=command)
    bob.command.check(command="make")
    world.clock.advance(1)
    held.write_text("from behind\n")
    assert bob.edit.compare().breaches == []
    world.clock.advance(4000)
    bob.command.check(command="make")
    world.clock.advance(1)
    held.write_text("long after\n")
    assert bob.edit.compare().breaches == OURS


def test_a_subagents_command_and_edit_are_its_parents(
    world: World, bob: Workspace, root: Path, machine: FakeMachine
) -> None:
    def agent(subagent: str = "") -> Workspace:
        host = HostSession("claude-code", "main", subagent)
        return world.agent("main", start=False, root=str(root), observer=machine.start(), host=host)

    parent, below = agent(), agent("explorer")
    parent.edit.check(files=["a.py"])
    world.clock.advance(300)
    bob.command.check(command="make")
    world.clock.advance(1)
    run(world, below, root / "a.py")
    assert bob.edit.compare().breaches == []
    bob.command.check(command="make")
    world.clock.advance(1)
    assert below.edit.check(files=["a.py"]).allowed
    (root / "a.py").write_text("the subagent's\n")
    assert bob.edit.compare().breaches == []


def test_the_letters_that_leave_something_running() -> None:
    assert all(map(leaves_running, ["make &", "make & wait", "setsid make", "a && b & c"]))
    assert not any(map(leaves_running, ["make 2>&1", "make &> log", "a && b", "make |& tee log", "ls"]))


def test_commands_at_once_count_as_one() -> None:
    window = Window(10, 100, "1|a", "1|c")
    assert explains([Ran(20, 60, "1|a", "1|c"), Ran(30, 40, "1|x", "1|b")], window)
    assert not explains([Ran(20, 30, "1|a", "1|b"), Ran(40, 60, "1|d", "1|c")], window)
    assert explains([Ran(20, 30, "1|a", None), Ran(40, 60, "1|d", "1|c")], window), "in doubt"
    assert not explains([], window)
    assert explains([Ran(5, 200, None, None)], window)


def test_nobody_is_accused_of_what_others_did(world: World, ann: Workspace, bob: Workspace, held: Path) -> None:
    """Random schedules of two agents. What Bob did alone is found; of what he did not do he is never accused."""
    chance = random.Random(7)
    found = missed = 0
    for number in range(150):
        guilty = certain = False
        runs = False  # a command of Ann's
        bob.command.check(command="make")
        for step in range(chance.randrange(1, 9)):
            world.clock.advance(chance.choice((0.001, 1, 3)))
            what = chance.choice(("start", "end", "ann writes", "ann edits", "bob writes", "nothing"))
            if what == "start" and not runs:
                ann.command.check(command="make")
                runs = True
            elif what == "end" and runs:
                ann.edit.compare(command="make")
                runs = False
            elif what == "ann writes" and runs:
                held.write_text(f"Ann's {number}.{step}\n")
            elif what == "ann edits" and number % 3 == 0:
                ann.edit.check(files=["a.py"])
                held.write_text(f"Ann's edit {number}.{step}\n")
            elif what == "bob writes" and number % 2:
                held.write_text(f"Bob's {number}.{step}\n")
                guilty = True
                certain = certain or (not runs and number % 3 != 0)
        world.clock.advance(0.001)
        breaches = bob.edit.compare(command="make").breaches
        assert guilty or not breaches, number
        if certain:
            found, missed = found + bool(breaches), missed + (not breaches)
        if runs:
            ann.edit.compare(command="make")
        world.clock.advance(300)
    assert found >= 20
    assert missed == 0
