"""Finished branches come home: checked together in a scratch worktree, and the base is never red."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from comity import Problem, Workspace
from comity.kernel.problem import Conflict, Invalid, NotFound
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git, run
from tests.rounds import rounds

CHECK = "test ! -e BAD || { echo 'BAD is here'; exit 1; }"


@pytest.fixture
def eve(world: World, root: Path, machine: FakeMachine) -> Workspace:
    """Who integrates, with a check that a file BAD breaks."""
    return world.agent("eve", root=str(root), observer=machine.start(), database=world.path, check_command=CHECK)


def _branch(git: Git, root: Path, name: str, files: dict[str, str]) -> None:
    """A branch with one commit, from main."""
    git("switch", "-q", "-c", name, "main")
    for file, text in files.items():
        (root / file).write_text(text)
    git("add", "-A")
    git("commit", "-qm", name)
    git("switch", "-q", "main")


def _fates(who: Workspace, *branches: str, **more: Any) -> dict[str, str]:
    return {one.branch: one.fate for one in who.integration.run(sources=list(branches), **more).outcomes}


def test_a_branch_lands_when_the_check_passes(eve: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "one", {"one.txt": "1"})
    found = eve.integration.run(sources=["one"])
    assert (found.state, found.base, found.checks) == ("landed", "main", 1)
    assert git("rev-parse", "main").strip() == found.after
    assert (root / "one.txt").read_text() == "1", "the checkout moved with its branch"
    assert git("status", "--porcelain") == ""
    assert git("worktree", "list").count("\n") == 1
    assert _fates(eve, "one") == {"one": "nothing"}


def test_the_task_of_a_worktree_is_its_branch_and_its_owner_is_told(ann: Workspace, eve: Workspace, git: Git) -> None:
    path = Path(ann.worktree.create(task_id="task-001").worktree.path)
    (path / "new.py").write_text("new\n")
    run(path, "add", "-A")
    run(path, "commit", "-qm", "New.")
    (outcome,) = eve.integration.run(sources=["task-001"]).outcomes
    assert (outcome.branch, outcome.fate, outcome.agent_id) == ("ann/task-001", "landed", "ann")
    assert "has landed" in ann.message.poll().deliveries[0].content
    assert "new.py" in git("ls-files")


@pytest.mark.parametrize("seed", range(rounds(2, 10)))
def test_of_ten_the_one_that_breaks_the_check_is_named_and_nine_land(
    eve: Workspace, root: Path, git: Git, seed: int
) -> None:
    dice = random.Random(seed)
    names = [f"b{number}" for number in range(10)]
    bad = dice.choice(names)
    for name in names:
        _branch(git, root, name, {f"{name}.txt": name, **({"BAD": ""} if name == bad else {})})
    dice.shuffle(names)
    found = eve.integration.run(sources=names)
    fates = {one.branch: one.fate for one in found.outcomes}
    assert fates == {name: "broke" if name == bad else "landed" for name in names}
    assert "BAD is here" in found.check_output
    assert sorted(path.stem for path in root.glob("b?.txt")) == sorted(set(names) - {bad})
    assert not (root / "BAD").exists()
    assert found.checks <= 2 + 1 + 4, "the whole, the base, four halves, the rest"


def test_two_that_only_break_together_are_told_apart(eve: Workspace, root: Path, git: Git) -> None:
    eve = eve.acting_as(eve.actor._replace(check_command="! { test -e left && test -e right; }"))
    for name in ("left", "between", "right"):
        _branch(git, root, name, {name: ""})
    assert _fates(eve, "left", "between", "right") == {"left": "landed", "between": "landed", "right": "broke"}


def test_what_met_only_the_broken_one_lands(eve: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "bad", {"BAD": "", "a.py": "bad\n"})
    _branch(git, root, "good", {"a.py": "good\n"})
    assert _fates(eve, "bad", "good") == {"bad": "broke", "good": "landed"}


def test_what_does_not_merge_is_told_with_its_files(eve: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "one", {"a.py": "1\n"})
    _branch(git, root, "two", {"a.py": "2\n"})
    found = eve.integration.run(sources=["one", "two"])
    assert [(one.fate, one.files) for one in found.outcomes] == [("landed", []), ("conflict", ["a.py"])]


def test_rebased_commits_make_no_merge(eve: Workspace, root: Path, git: Git) -> None:
    for name in ("one", "two"):
        _branch(git, root, name, {f"{name}.txt": name})
    assert _fates(eve, "one", "two", how="rebase") == {"one": "landed", "two": "landed"}
    assert git("rev-list", "--merges", "main") == ""
    assert git("log", "--format=%s", "main").split() == ["two", "one", "Begin."]


def test_a_red_base_stops_everything(eve: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "one", {"one.txt": "1"})
    (root / "BAD").write_text("")
    git("add", "-A")
    git("commit", "-qm", "Red.")
    before = git("rev-parse", "main")
    with pytest.raises(Conflict) as caught:
        eve.integration.run(sources=["one"])
    assert caught.value.reason == "integration.base_red"
    assert git("rev-parse", "main") == before
    assert git("worktree", "list").count("\n") == 1


def test_a_base_that_is_checked_out_with_changes_is_not_moved(eve: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "one", {"one.txt": "1"})
    (root / "a.py").write_text("my work\n")
    with pytest.raises(Conflict) as caught:
        eve.integration.run(sources=["one"])
    assert caught.value.reason == "integration.base_changed"
    assert (root / "a.py").read_text() == "my work\n"


def test_an_untracked_file_in_the_way_stops_the_landing(eve: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "one", {"one.txt": "1"})
    (root / "one.txt").write_text("mine\n")
    before = git("rev-parse", "main")
    with pytest.raises(Problem) as caught:
        eve.integration.run(sources=["one"])
    assert caught.value.reason == "integration.base_moved"
    assert (root / "one.txt").read_text() == "mine\n"
    assert git("rev-parse", "main") == before


def test_what_is_not_committed_is_not_finished(ann: Workspace, eve: Workspace) -> None:
    path = Path(ann.worktree.create(task_id="task-001").worktree.path)
    (path / "new.py").write_text("not yet\n")
    with pytest.raises(Conflict) as caught:
        eve.integration.run(sources=["task-001"])
    assert caught.value.reason == "integration.unfinished"
    assert "ann" in caught.value.hint


def test_a_base_that_moves_meanwhile_stays(eve: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "one", {"one.txt": "1"})
    moving = f"git -C {root} -c user.name=x -c user.email=x@x commit -q --allow-empty -m Meanwhile"
    eve = eve.acting_as(eve.actor._replace(check_command=moving))
    with pytest.raises(Problem) as caught:
        eve.integration.run(sources=["one"])
    assert caught.value.reason == "integration.base_moved"
    assert git("log", "-1", "--format=%s", "main") == "Meanwhile\n"


def test_nothing_lands_unchecked_unless_that_is_said(ann: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "one", {"one.txt": "1"})
    with pytest.raises(Conflict) as caught:
        ann.integration.run(sources=["one"])
    assert caught.value.reason == "integration.no_check"
    assert "check_command" in caught.value.hint
    assert _fates(ann, "one", unchecked=True) == {"one": "landed"}


def test_one_at_a_time_and_the_dead_stand_in_nobodys_way(
    world: World, eve: Workspace, root: Path, git: Git, machine: FakeMachine
) -> None:
    _branch(git, root, "one", {"one.txt": "1"})
    process = machine.start()
    other = world.agent("other", root=str(root), observer=process, database=world.path)
    scratch = root / ".worktrees" / "integration-x"
    run(root, "worktree", "add", "-q", "--detach", str(scratch))
    told = f'{{"pid":{process.pid},"started":"{process.presence.started}","boot_id":"boot-1","namespace":"pid:[1]"}}'
    with world.store.writing() as tx:
        values = {"integration_id": "x", "base": "main", "branches": "[]", "scratch": ".worktrees/integration-x"}
        tx.run("integration.begin", agent_id=other.actor.agent_id, process=told, now_ms=1, **values)
    with pytest.raises(Conflict) as caught:
        eve.integration.run(sources=["one"])
    assert caught.value.reason == "integration.busy"
    machine.kill(process)
    assert _fates(eve, "one") == {"one": "landed"}
    assert not scratch.exists()
    assert [one.state for one in eve.integration.list().integrations] == ["landed", "interrupted"]


def test_a_check_ends_when_it_is_not_wanted_any_more(eve: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "one", {"one.txt": "1"})
    eve = eve.acting_as(eve.actor._replace(check_command="sleep 1000"))

    def refuse(_done: int, _total: int, what: str) -> None:
        if what.startswith("checking"):
            raise Conflict("job.stopped", "The job is not wanted any more.", "Stop.")

    with pytest.raises(Conflict) as caught:
        eve.call("integration.run", {"sources": ["one"]}, report=refuse)
    assert caught.value.reason == "job.stopped"
    assert git("worktree", "list").count("\n") == 1
    assert eve.integration.list().integrations[0].state == "interrupted"


def test_a_job_does_it_as_well(eve: Workspace, root: Path, git: Git) -> None:
    _branch(git, root, "one", {"one.txt": "1"})
    job = eve.integration.begin(sources=["one"]).job
    assert (job.kind, job.state) == ("integration.run", "waiting")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("nowhere", "integration.unknown"),
        ("main", "integration.bases"),
        ("--upload-pack=x", "branch.invalid"),
        ("a b", "branch.invalid"),
        ("", "argument.invalid"),
    ],
)
def test_what_cannot_be_integrated_is_told(eve: Workspace, git: Git, source: str, reason: str) -> None:
    before = git("rev-parse", "main")
    with pytest.raises((Invalid, NotFound)) as caught:
        eve.integration.run(sources=[source])
    assert caught.value.reason == reason
    assert git("rev-parse", "main") == before
