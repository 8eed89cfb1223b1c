"""Standing in line: first come, first served, and nobody waits for the gone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from comity import Problem, Workspace
from comity.kernel.problem import Conflict, Invalid
from comity.rooms.claims.model import Claimed
from comity.testing import FakeMachine, World
from tests.wire_format import audit


@pytest.fixture
def cid(world: World, root: Path) -> Workspace:
    return world.agent("cid", root=str(root))


def held(workspace: Workspace) -> list[str]:
    return [claim.file_path for claim in workspace.claim.list(agent_id=workspace.actor.agent_id).claims]


def waits(workspace: Workspace, *files: str, **more: Any) -> Claimed:
    claimed: Claimed = workspace.call("claim.acquire", {"files": list(files), "wait": True, **more})
    return claimed


def line(workspace: Workspace) -> list[tuple[str, int, list[str]]]:
    return [(one.agent_id, one.place, one.files) for one in workspace.claim.list().waiting]


def refusal(workspace: Workspace, *files: str, **more: Any) -> Problem:
    with pytest.raises(Problem) as refused:
        workspace.call("claim.acquire", {"files": list(files), **more})
    return refused.value


def news(workspace: Workspace) -> list[str]:
    return [one.content for one in workspace.message.poll().deliveries]


def test_what_is_free_is_claimed_at_once(ann: Workspace) -> None:
    claimed = waits(ann, "src/a.py")
    assert (claimed.waiting, held(ann)) == (None, ["src/a.py"])
    assert line(ann) == []


def test_first_come_first_served_and_told_once(ann: Workspace, bob: Workspace, cid: Workspace) -> None:
    ann.claim.acquire(files=["src/a.py"])
    first, second = waits(bob, "src/a.py", reason="the parser"), waits(cid, "src/a.py")
    assert first.waiting is not None
    assert second.waiting is not None
    assert (first.claim_id, first.claims, [one.agent_id for one in first.conflicts]) == ("", [], ["ann"])
    assert (first.waiting.place, first.waiting.behind) == (1, ("ann",))
    assert (second.waiting.place, second.waiting.behind) == (2, ("ann", "bob"))
    assert line(ann) == [("bob", 1, ["src/a.py"]), ("cid", 2, ["src/a.py"])]
    ann.claim.release(files=["src/a.py"])
    assert (held(bob), held(cid)) == (["src/a.py"], [])
    assert bob.claim.list().claims[0].reason == "the parser"
    (told,) = news(bob)
    assert told.startswith('It is your turn: you hold "src/a.py" now, until ')
    assert news(cid) == []
    bob.claim.release(files=["**"])
    assert (held(cid), line(cid)) == (["src/a.py"], [])


def test_nobody_passes_those_in_line(ann: Workspace, bob: Workspace, cid: Workspace) -> None:
    """Bob waits for two files, of which one is free: it is kept for him."""
    ann.claim.acquire(files=["src/a.py"])
    waits(bob, "src/a.py", "docs/x.md")
    problem = refusal(cid, "docs/x.md")
    assert problem.reason == "claim.held"
    assert problem.message.startswith('bob stands in line for "docs/x.md".')
    assert [one["mode"] for one in problem.data["conflicts"]] == ["waiting"]  # type: ignore[attr-defined]
    assert cid.claim.acquire(files=["docs/x.md", "docs/y.md"], partial=True).refused == ("docs/x.md",)
    ann.claim.release(files=["src/a.py"])
    assert held(bob) == ["docs/x.md", "src/a.py"]


def test_whoever_holds_what_another_waits_for_is_not_kept_by_that_place(
    ann: Workspace, bob: Workspace, cid: Workspace
) -> None:
    ann.claim.acquire(files=["src/a.py"])
    waits(bob, "src/a.py", "docs/x.md")
    ann.claim.acquire(files=["docs/x.md"])
    assert held(ann) == ["docs/x.md", "src/a.py"]
    cid.claim.acquire(files=["top.py"])
    waits(ann, "top.py")
    cid.claim.acquire(files=["docs/y.md"])
    ann.claim.release(files=["src/a.py", "docs/x.md"])
    assert held(bob) == ["docs/x.md", "src/a.py"]


def test_nobody_waits_for_whoever_waits_for_them(ann: Workspace, bob: Workspace, cid: Workspace) -> None:
    for agent, path in ((ann, "a"), (bob, "b"), (cid, "c")):
        agent.claim.acquire(files=[path])
    waits(ann, "b")
    waits(bob, "c")
    problem = refusal(cid, "a", wait=True)
    assert problem.reason == "claim.circle"
    assert problem.data == {"holder": "ann", "waitsFor": ["b"]}
    cid.claim.release(files=["c"])
    assert held(bob) == ["b", "c"]
    assert waits(cid, "a").waiting is not None


def test_two_who_share_cannot_both_wait_to_have_it_alone(ann: Workspace, bob: Workspace) -> None:
    for agent in (ann, bob):
        agent.call("claim.acquire", {"files": ["a"], "mode": "shared"})
    waits(ann, "a")
    assert refusal(bob, "a", wait=True).reason == "claim.circle"
    bob.claim.release(files=["a"])
    assert [(claim.agent_id, claim.mode) for claim in ann.claim.list().claims] == [("ann", "exclusive")]


def test_those_who_share_are_served_together_and_do_not_starve_others(
    world: World, ann: Workspace, bob: Workspace, cid: Workspace, root: Path
) -> None:
    dan = world.agent("dan", root=str(root))
    ann.claim.acquire(files=["a"])
    waits(bob, "a", mode="shared")
    waits(cid, "a", mode="shared")
    waits(dan, "a")
    ann.claim.release(files=["a"])
    together = {(claim.agent_id, claim.mode) for claim in ann.claim.list().claims}
    assert together == {("bob", "shared"), ("cid", "shared")}
    assert refusal(ann, "a", mode="shared").reason == "claim.held", "dan came first"
    for agent in (bob, cid):
        agent.claim.release(files=["a"])
    assert held(dan) == ["a"]


@pytest.mark.parametrize(
    ("has", "wants"), [("src", "src/a.py"), ("src/a.py", "src"), ("src/*.py", "src/a.py"), ("src/a.py", "**/*.py")]
)
def test_what_overlaps_is_waited_for(ann: Workspace, bob: Workspace, cid: Workspace, has: str, wants: str) -> None:
    ann.claim.acquire(files=[has])
    assert waits(bob, wants).waiting is not None
    assert refusal(cid, wants).reason == "claim.held"
    ann.claim.release(files=[has])
    assert held(bob) == [wants]


def test_a_claim_that_lapses_makes_room(world: World, ann: Workspace, bob: Workspace, cid: Workspace) -> None:
    ann.claim.acquire(files=["a"], ttl_seconds=5)
    waits(bob, "a", ttl_seconds=60)
    world.clock.advance(5)
    assert refusal(cid, "a").data["holders"] == ["bob"], "it was his turn, whoever looks first"
    assert held(bob) == ["a"]


def test_the_dead_keep_nobody_waiting(world: World, root: Path) -> None:
    machine = FakeMachine()
    processes = [machine.start() for _ in range(4)]
    ann, bob, cid, dan = (
        world.agent(name, root=str(root), observer=process)
        for name, process in zip(("ann", "bob", "cid", "dan"), processes, strict=True)
    )
    ann.claim.acquire(files=["a"])
    waits(bob, "a")
    waits(cid, "a")
    machine.kill(processes[0])
    machine.kill(processes[1])
    assert refusal(dan, "a").data["holders"] == ["cid"], "in the transaction of whoever asks"
    assert (held(cid), line(dan)) == (["a"], [])


def test_a_holder_that_is_dead_is_no_reason_to_refuse(world: World, root: Path) -> None:
    machine = FakeMachine()
    gone = machine.start()
    world.agent("ann", root=str(root), observer=gone).claim.acquire(files=["a"])
    bob = world.agent("bob", root=str(root), observer=machine.start())
    assert refusal(bob, "a").reason == "claim.held"
    machine.kill(gone)
    assert bob.claim.acquire(files=["a"]).conflicts == ()


def test_a_place_ends_with_its_agent(ann: Workspace, bob: Workspace, cid: Workspace) -> None:
    ann.claim.acquire(files=["a"])
    waits(bob, "a")
    waits(cid, "a")
    bob.session.end()
    assert line(ann) == [("cid", 1, ["a"])]
    ann.session.end()
    assert held(cid) == ["a"]


def test_a_place_ends_with_the_process_that_waits(world: World, root: Path) -> None:
    machine = FakeMachine()
    ann, bob, cid = (world.agent(name, root=str(root), observer=machine.start()) for name in ("ann", "bob", "cid"))
    ann.claim.acquire(files=["a"])
    command = machine.start()
    waits(bob, "a", waiter=f"{command.pid}:{command.presence.started}")
    waits(cid, "a")
    machine.kill(command)
    ann.claim.release(files=["a"])
    assert (held(bob), held(cid)) == ([], ["a"])


def test_whose_process_waits_needs_no_message(world: World, root: Path) -> None:
    machine = FakeMachine()
    ann, bob = (world.agent(name, root=str(root), observer=machine.start()) for name in ("ann", "bob"))
    ann.claim.acquire(files=["a"])
    command = machine.start()
    waits(bob, "a", waiter=f"{command.pid}:{command.presence.started}")
    ann.claim.release(files=["a"])
    assert (held(bob), news(bob)) == (["a"], [])


@pytest.mark.parametrize("named", ["a", "**", "./a"])
def test_a_place_is_given_up_by_releasing(ann: Workspace, bob: Workspace, cid: Workspace, named: str) -> None:
    ann.claim.acquire(files=["a"])
    waits(bob, "a", "b")
    waits(cid, "b")
    given_up = bob.claim.release(files=[named])
    assert (given_up.released_files, given_up.given_up) == ([], ("a", "b"))
    assert held(cid) == ["b"], "somebody else's turn has come"


def test_asking_again_keeps_the_place(ann: Workspace, bob: Workspace, cid: Workspace) -> None:
    ann.claim.acquire(files=["a", "b"])
    waits(bob, "a")
    waits(cid, "a")
    again = waits(bob, "./a", reason="still").waiting
    assert again is not None
    assert (again.place, again.behind) == (1, ("ann",))
    assert line(ann) == [("bob", 1, ["a"]), ("cid", 2, ["a"])]
    ann.claim.release(files=["a"])
    assert waits(bob, "a").claims[0].agent_id == "bob"
    assert line(ann) == [("cid", 1, ["a"])]


def test_a_place_for_part_of_it_makes_no_sense(ann: Workspace) -> None:
    problem = refusal(ann, "a", wait=True, partial=True)
    assert isinstance(problem, Invalid)
    assert problem.reason == "claim.partial_wait"


def test_other_worktrees_have_lines_of_their_own(world: World, ann: Workspace, root: Path, tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    tim = world.agent("tim", root=str(root), worktree=str(tmp_path / "tree"))
    ann.claim.acquire(files=["src/a.py"])
    assert waits(tim, "src/a.py").waiting is None
    waits(world.agent("bob", root=str(root)), "src/a.py")
    assert world.agent("uma", root=str(root), worktree=str(tmp_path / "tree")).claim.list(files=["docs"]).waiting == ()


def test_what_happened_is_in_the_log(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["a"])
    waits(bob, "a")
    ann.claim.release(files=["a"])
    told = [(one["event_type"], one["agent_id"]) for one in audit(world.path) if one["event_type"].startswith("claim.")]
    assert told == [
        ("claim.acquired", "ann"),
        ("claim.waiting", "bob"),
        ("claim.released", "ann"),
        ("claim.acquired", "bob"),
        ("claim.served", "bob"),
    ]


def test_waiting_ends_with_the_turn(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["a"])
    assert bob.claim.acquire(files=["a"], wait=True, wait_ms=1).waiting is not None
    ann.claim.release(files=["a"])
    assert bob.claim.acquire(files=["a"], wait=True, wait_ms=60_000).waiting is None
    assert refusal(ann, "a", wait_ms=60_000).reason == "claim.held", "it does not stand in line"


def test_refused_without_a_place_says_how_to_get_one(ann: Workspace, bob: Workspace) -> None:
    ann.claim.acquire(files=["a"])
    problem = refusal(bob, "a")
    assert isinstance(problem, Conflict)
    assert "claim it with wait" in problem.hint
