"""Waiting for a file that somebody edits: until it is committed, given back, let go, or its agent is gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.scope import HostSession
from comity.loops.reaper import Reaper
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git
from tests.rooms.edits.test_work_in_progress import edit, hooks


def held(workspace: Workspace) -> list[str]:
    return [claim.file_path for claim in workspace.claim.list(agent_id=workspace.actor.agent_id).claims]


def settled(world: World, machine: FakeMachine) -> int:
    """How many places are left after a look of somebody's server."""
    looker = world.agent("looker", observer=machine.start())
    Reaper(looker).look()
    return len(looker.claim.list().waiting)


WAYS: dict[str, Callable[[Workspace, Path, Git], object]] = {
    "committed": lambda ann, root, git: git("commit", "-q", "-am", "Done."),
    "as it was": lambda ann, root, git: (root / "a.py").write_text("a.py\n"),
    "let go": lambda ann, root, git: ann.claim.release(files=["a.py"]),
    "the end of its agent": lambda ann, root, git: ann.session.end(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("lapsed", [False, True])
def test_whoever_waits_gets_it_then(
    world: World, ann: Workspace, bob: Workspace, root: Path, git: Git, machine: FakeMachine, way: str, lapsed: bool
) -> None:
    edit(ann, root, "a.py")
    if lapsed:
        world.clock.advance(3600)
    refused = bob.edit.check(files=["a.py"])
    assert "stand in line for it (`claim.acquire` with wait)" in refused.refusal
    place = bob.claim.acquire(files=["a.py"], wait=True).waiting
    assert place is not None
    assert place.behind == ("ann",)
    assert settled(world, machine) == 1
    WAYS[way](ann, root, git)
    assert settled(world, machine) == 0
    assert held(bob) == ["a.py"]
    assert "It is your turn" in bob.turn.next().text
    assert bob.edit.check(files=["a.py"]).stale or bob.edit.check(files=["a.py"]).allowed


def test_an_edit_that_was_not_made_keeps_nobody_waiting(
    world: World, ann: Workspace, bob: Workspace, machine: FakeMachine
) -> None:
    assert ann.edit.check(files=["a.py"]).allowed
    bob.claim.acquire(files=["a.py"], wait=True)
    assert settled(world, machine) == 1
    ann.edit.landed(over=True)
    assert held(bob) == ["a.py"]


def test_nobody_edits_before_those_in_line(
    world: World, ann: Workspace, bob: Workspace, root: Path, machine: FakeMachine
) -> None:
    """Bob waits for two files; the free one is his as well, as soon as Ann is done."""
    cid = world.agent("cid", root=str(root), observer=machine.start())
    edit(ann, root, "a.py")
    bob.claim.acquire(files=["a.py", "b.py"], wait=True, reason="both")
    refused = cid.edit.check(files=["b.py"])
    assert refused.holders == ("bob",)
    assert refused.refusal.startswith('bob has stood in line for "b.py" for 0 s, "both", and has its turn first.')
    assert ann.edit.check(files=["b.py"]).allowed, "he waits for her anyway"


def test_the_one_who_waits_and_is_killed_is_passed(
    world: World, ann: Workspace, bob: Workspace, root: Path, machine: FakeMachine, git: Git
) -> None:
    process = machine.start()
    cid = world.agent("cid", root=str(root), observer=process)
    edit(ann, root, "a.py")
    cid.claim.acquire(files=["a.py"], wait=True)
    bob.claim.acquire(files=["a.py"], wait=True)
    machine.kill(process)
    git("commit", "-q", "-am", "Done.")
    assert settled(world, machine) == 0
    assert held(bob) == ["a.py"]


def test_a_look_that_finds_nothing_new_writes_nothing(
    world: World, ann: Workspace, bob: Workspace, root: Path, machine: FakeMachine
) -> None:
    edit(ann, root, "a.py")
    bob.claim.acquire(files=["a.py"], wait=True)
    settled(world, machine)
    looker = world.agent("looker", observer=machine.start())
    before = len(looker.event.list(limit=1000).events)
    assert looker.claim.settle().waiting == 1
    assert len(looker.event.list(limit=1000).events) == before


def test_what_holds_a_resource_is_no_work_of_git(
    world: World, ann: Workspace, bob: Workspace, root: Path, git: Git
) -> None:
    ann.claim.acquire(files=["res:staging"])
    (root / "b.py").write_text("mine\n")
    assert bob.command.check(command="git checkout -- b.py").allowed


def test_a_session_that_ended_leaves_its_work_behind_though_its_server_runs(
    world: World, bob: Workspace, root: Path, machine: FakeMachine
) -> None:
    host = HostSession("codex", "s1")
    hook = world.agent("s1", start=False, root=str(root), observer=hooks(machine), host=host)
    hook.turn.start()
    world.agent("s1", root=str(root), observer=machine.start())
    edit(hook, root, "a.py")
    hook.session.leave(reason="clear")
    assert bob.edit.check(files=["a.py"]).holders == ("s1",), "it goes on"
    hook.turn.start(source="clear")
    hook.session.leave(reason="exit")
    assert [one.state for one in bob.work.list().files] == ["left behind"]
    allowed = bob.edit.check(files=["a.py"])
    assert allowed.allowed or allowed.stale
