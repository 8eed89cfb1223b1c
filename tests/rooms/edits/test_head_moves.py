"""HEAD of a checkout is everybody's: whoever moves it and whoever works there are told, whichever way it was moved."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from comity import Workspace
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git, run
from tests.wire_format import audit

MOVES = [
    "git checkout -q -b topic",
    "git checkout -q other",
    "git switch -q other",
    "git switch -q -c fresh",
    "git checkout -q --detach",
    "git switch -q --detach other",
    "git checkout -q -B fresh",
    "git branch -m main trunk",
    "git reset -q --soft HEAD~1",
    "git reset -q --soft HEAD~1 && git commit -q -m again",
    "git pull -q . other",
    "git merge -q other",
    "git merge -q --no-ff -m both other",
    "git cherry-pick other",
    "git revert --no-edit HEAD",
    "git commit -q --amend --only -m otherwise",
    "git symbolic-ref HEAD refs/heads/other",
    "git update-ref HEAD HEAD~1",
    "git bisect start HEAD HEAD~1 && git checkout -q HEAD~1",
    "python3 -c \"import os; os.system('git checkout -q other')\"",
    "make other",
    "./switch.sh",
]
STAYS = [
    "git commit -q -m mine -- b.py",
    "git add b.py && git commit -q -m mine -- b.py",
    "git checkout -q other && git checkout -q main",
    "git branch topic",
    "git fetch -q . other:copy",
    "git status",
    "git log",
    "make nothing",
    "git worktree add -q ../elsewhere",
    "git checkout -q no-such-branch || true",
]


@pytest.fixture
def ann(world: World, root: Path, machine: FakeMachine) -> Workspace:
    return world.agent("ann", root=str(root), name="Ann", observer=machine.start(worktree=str(root)))


@pytest.fixture
def bob(world: World, root: Path, machine: FakeMachine) -> Workspace:
    return world.agent("bob", root=str(root), observer=machine.start(worktree=str(root)))


@pytest.fixture
def shared(ann: Workspace, bob: Workspace, root: Path, git: Git) -> Path:
    """Ann has work in a.py, Bob in b.py; another branch is one commit ahead."""
    (root / "more.txt").write_text("more\n")
    (root / "switch.sh").write_text("#!/bin/sh\ngit checkout -q other\n")
    (root / "switch.sh").chmod(0o755)
    (root / "Makefile").write_text("other:\n\tgit checkout -q other\nnothing:\n\ttrue\n")
    git("add", ".")
    git("commit", "-q", "-m", "More.")
    git("checkout", "-q", "-b", "other")
    (root / "more.txt").write_text("still more\n")
    git("commit", "-q", "-a", "-m", "Other.")
    git("checkout", "-q", "main")
    for agent, name in ((ann, "a.py"), (bob, "b.py")):
        agent.edit.check(files=[name])
        (root / name).write_text(f"in progress: {name}\n")
        agent.edit.landed(files=[name])
    return root


def runs(agent: Workspace, root: Path, line: str) -> bool:
    """A command of an agent, between its two hooks; whether it was let through."""
    if not agent.command.check(command=line).allowed:
        return False
    shell(root, line)
    agent.edit.compare(command=line)
    return True


def shell(root: Path, line: str) -> None:
    for name in ("user.name", "user.email"):
        run(root, "config", name, "tess@example.com")
    done = os.spawnvpe(
        os.P_WAIT,
        "bash",
        ["bash", "-c", f"cd '{root}' && {line} > /dev/null 2>&1"],
        {**os.environ, "GIT_EDITOR": "true"},
    )
    assert done == 0 or "cherry" in line or "revert" in line, line


def read(agent: Workspace) -> list[str]:
    return [one.content for one in agent.message.poll().deliveries]


@pytest.mark.parametrize("line", MOVES)
def test_both_sides_are_told(world: World, shared: Path, ann: Workspace, bob: Workspace, git: Git, line: str) -> None:
    before = git("rev-parse", "HEAD"), git("branch", "--show-current")
    assert runs(bob, shared, line)
    assert (git("rev-parse", "HEAD"), git("branch", "--show-current")) != before
    (to_ann,), (to_bob,) = read(ann), read(bob)
    assert to_ann.startswith("HEAD moved from ")
    assert " by bob with " in to_ann
    assert to_bob.startswith("HEAD moved from ")
    assert "Ann (ann) works in this checkout, too, and was told" in to_bob
    assert len(audit(world.path, "head.moved")) == 1
    assert (shared / "a.py").read_text() == "in progress: a.py\n"


@pytest.mark.parametrize("line", STAYS)
def test_who_only_commits_or_comes_back_has_moved_nothing(
    world: World, shared: Path, ann: Workspace, bob: Workspace, line: str
) -> None:
    assert runs(bob, shared, line)
    assert read(ann) == read(bob) == []
    assert audit(world.path, "head.moved") == []


def test_what_is_said_names_both_places(shared: Path, ann: Workspace, bob: Workspace, git: Git) -> None:
    runs(bob, shared, "git checkout -q other")
    (told,) = read(ann)
    assert told == (
        'HEAD moved from "main" to "other" by bob with "git checkout -q other". What you commit now goes to "other": '
        "look at git status first. All agents of this checkout share HEAD and the index."
    )
    before = git("rev-parse", "HEAD")
    runs(bob, shared, "git reset -q --soft HEAD~1")
    now = git("rev-parse", "HEAD")
    assert read(ann)[-1].startswith(f'HEAD moved from {before[:10]} to {now[:10]} on "other" by bob with')


def test_a_commit_of_who_does_not_know_is_refused_once(
    world: World, shared: Path, ann: Workspace, bob: Workspace
) -> None:
    runs(bob, shared, "git checkout -q other")
    refused = ann.command.check(command="git commit -m mine -- a.py")
    assert not refused.allowed
    assert refused.refusal.startswith('HEAD moved from "main" to "other" by bob')
    assert refused.refusal.endswith("Nothing was done. Run the command again if that is where it belongs.")
    assert [event["reason_code"] for event in audit(world.path, "git.refused")] == ["head.moved"]
    assert runs(ann, shared, "git commit -m mine -- a.py")
    assert len(audit(world.path, "git.refused")) == 1


def test_who_has_read_it_commits(shared: Path, ann: Workspace, bob: Workspace) -> None:
    runs(bob, shared, "git checkout -q other")
    assert bob.command.check(command="git commit -m his -- b.py").allowed, "he knows what he did"
    assert read(ann)
    assert ann.command.check(command="git commit -m mine -- a.py").allowed


def test_a_person_lets_a_commit_through(shared: Path, ann: Workspace, bob: Workspace) -> None:
    runs(bob, shared, "git checkout -q other")
    assert ann.command.check(command="git commit -m mine -- a.py", reason="it is meant").allowed


def test_gits_own_hook_says_it_to_who_has_no_other(shared: Path, ann: Workspace, bob: Workspace) -> None:
    runs(bob, shared, "git checkout -q other")
    refused = ann.edit.held(files=["a.py"])
    assert refused.refusal.startswith('HEAD moved from "main" to "other"')
    assert ann.edit.held(files=["a.py"]).allowed, "once"
    assert bob.edit.held(files=["b.py"]).allowed


@pytest.mark.parametrize("line", ["python3 -c 'x()'", "make all", "git zz", "./commit.sh"])
def test_a_commit_that_nobody_foresaw_is_told_to_all(
    world: World, shared: Path, ann: Workspace, bob: Workspace, git: Git, line: str
) -> None:
    assert bob.command.check(command=line).allowed
    git("commit", "-q", "-a", "--no-verify", "-m", "All.")
    bob.edit.compare(command=line)
    (to_ann,), (to_bob,) = read(ann), read(bob)
    commit = git("rev-parse", "HEAD")[:10]
    assert to_ann == (
        f'bob committed "a.py" with your uncommitted changes, as {commit} ("{line}"). Tell the person you work for.'
    )
    assert to_bob.startswith(f'{commit} took in "a.py" with uncommitted changes of Ann (ann), who was told')
    assert "Tell the person you work for." in to_bob
    (event,) = audit(world.path, "work.committed")
    assert (event["agent_id"], json.loads(event["metadata_json"])["by"]) == ("ann", "bob")
    told = f'bob committed "a.py" with uncommitted changes of Ann (ann), as {commit}.'
    assert told in bob.workspace.overview().attention
    assert bob.workspace.status().committed == (told,)


def test_what_is_staged_and_taken_by_plumbing_is_told_too(
    world: World, shared: Path, ann: Workspace, bob: Workspace, git: Git
) -> None:
    bob.command.check(command="./plumb")
    git("add", "a.py")
    (shared / "a.py").write_text("in progress: a.py, and on\n")
    commit = git("commit-tree", "-p", "HEAD", "-m", "x", git("write-tree").strip()).strip()
    git("update-ref", "refs/heads/main", commit)
    bob.edit.compare(command="./plumb")
    assert any(told.startswith('bob committed "a.py"') for told in read(ann))


def test_who_commits_beside_another_command_took_nothing(
    world: World, shared: Path, ann: Workspace, bob: Workspace, git: Git
) -> None:
    """Ann's own commit is made while tests of Bob run."""
    assert bob.command.check(command="make test").allowed
    assert ann.command.check(command="git commit -m mine -- a.py").allowed
    git("commit", "-q", "-m", "mine", "--", "a.py")
    bob.edit.compare(command="make test")
    ann.edit.compare(command="git commit -m mine -- a.py")
    assert read(ann) == read(bob) == []
    assert ann.command.check(command="make test").allowed
    assert bob.command.check(command="git checkout other").allowed
    git("checkout", "-q", "other")
    ann.edit.compare(command="make test")
    bob.edit.compare(command="git checkout other")
    assert [" by bob with " in told for told in read(ann)] == [True]
    assert len(audit(world.path, "head.moved")) == 1


def test_a_command_that_never_ended_did_it(
    world: World, shared: Path, ann: Workspace, bob: Workspace, git: Git
) -> None:
    """Its user interrupted it: no hook told its end."""
    world.clock.advance(5)
    assert bob.command.check(command="make other").allowed
    git("checkout", "-q", "other")
    runs(ann, shared, "make nothing")
    assert read(ann) == [], "Bob's command may have done it, and is asked"
    assert bob.command.check(command="make nothing").allowed
    assert [told.startswith('HEAD moved from "main" to "other" by bob.') for told in read(ann)] == [True]


def test_what_a_person_does_meanwhile_is_told_to_who_was_there(
    world: World, shared: Path, ann: Workspace, bob: Workspace, git: Git
) -> None:
    world.clock.advance(5)
    runs(bob, shared, "make nothing")
    git("checkout", "-q", "other")
    world.clock.advance(5)
    runs(bob, shared, "make nothing")
    expected = 'HEAD moved from "main" to "other" by none of the agents here, perhaps by a person.'
    assert [told.startswith(expected) for told in (*read(ann), *read(bob))] == [True, True]


def test_who_commits_is_told_before_though_nobody_has_told_yet(
    world: World, shared: Path, ann: Workspace, bob: Workspace, git: Git
) -> None:
    """Bob's host was killed after its command, or has not told the end of it yet."""
    runs(ann, shared, "make nothing")
    assert bob.command.check(command="git checkout -q other").allowed
    git("checkout", "-q", "other")
    refused = ann.command.check(command="git commit -m mine -- a.py").refusal
    assert refused.startswith('HEAD moved from "main" to "other" while a command of bob ran.')
    assert ann.command.check(command="git commit -m mine -- a.py").allowed


def test_who_commits_where_a_person_moved_head_is_told_before(
    world: World, shared: Path, ann: Workspace, bob: Workspace, git: Git
) -> None:
    world.clock.advance(5)
    runs(ann, shared, "make nothing")
    git("checkout", "-q", "other")
    world.clock.advance(5)
    refused = ann.command.check(command="git commit -m mine -- a.py").refusal
    assert refused.startswith('HEAD moved from "main" to "other" by none of the agents here, perhaps by a person.')
    assert ann.command.check(command="git commit -m mine -- a.py").allowed


def test_who_comes_later_is_told_nothing(
    world: World, root: Path, bob: Workspace, git: Git, machine: FakeMachine
) -> None:
    other = world.agent("cid", root=str(root), observer=machine.start(worktree=str(root)))
    runs(bob, root, "python3 -c pass")
    other.session.leave()
    world.clock.advance(10)
    git("checkout", "-q", "-b", "topic")
    world.clock.advance(10)
    ann = world.agent("ann", root=str(root), observer=machine.start(worktree=str(root)))
    runs(bob, root, "python3 -c pass")
    assert read(ann) == read(bob) == []


def test_a_worktree_has_a_head_of_its_own(
    world: World, shared: Path, ann: Workspace, bob: Workspace, git: Git, machine: FakeMachine
) -> None:
    there = shared.parent / "there"
    git("worktree", "add", "-q", str(there), "-b", "there")
    cid = world.agent("cid", root=str(shared), worktree=str(there), observer=machine.start(worktree=str(there)))
    runs(cid, there, "git checkout -q -b mine")
    assert read(ann) == read(bob) == read(cid) == []
    runs(bob, shared, f"cd '{there}' && git checkout -q -b his")
    assert [told.startswith('HEAD moved from "mine" to "his" by bob') for told in read(cid)] == [True]
    assert read(ann) == []
