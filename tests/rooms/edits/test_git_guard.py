"""Before git commands that sweep a work tree."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comity import Workspace
from comity.system import git_process
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git, run
from tests.wire_format import audit

TRACKED = ["git stash", "git reset --hard", "git checkout -- .", "git checkout -f", "git restore .", "git rebase main"]


@pytest.fixture
def dirty(world: World, ann: Workspace, bob: Workspace, root: Path) -> Path:
    """Ann has uncommitted work in a.py and new.py, Bob in b.py."""
    ann.claim.acquire(files=["a.py", "new.py"], reason="the parser")
    bob.claim.acquire(files=["b.py"])
    for name in ("a.py", "new.py", "b.py"):
        (root / name).write_text("work\n")
    (root / "build.log").write_text("log\n")
    world.clock.advance(60)
    return root


@pytest.mark.parametrize("command", TRACKED)
def test_a_peers_uncommitted_work_is_spared(world: World, dirty: Path, bob: Workspace, command: str) -> None:
    verdict = bob.git.check(command=command)
    assert not verdict.allowed
    assert verdict.holders == ("ann",)
    assert verdict.refusal.startswith(
        f'"{command}": It would take away uncommitted changes of "a.py". '
        'Ann (ann) claimed "a.py" 60 s ago, "the parser"'
    )
    (event,) = audit(world.path, "git.refused")
    assert event["agent_id"] == "bob"


@pytest.mark.parametrize(
    ("command", "files"),
    [("git stash -u", '"a.py", "new.py"'), ("git clean -fd", '"new.py"'), ("cd src && git -C .. clean -f", '"new.py"')],
)
def test_untracked_work_too(dirty: Path, bob: Workspace, command: str, files: str) -> None:
    assert f"uncommitted changes of {files}." in bob.git.check(command=command).refusal


@pytest.mark.parametrize(
    "command",
    [
        *(
            "git stash list",
            "git stash show",
            "git clean -n",
            "git reset --soft HEAD",
            "git checkout other",
            "git status",
        ),
        *("echo 'git stash'", 'git commit -m "git reset --hard"', "git stash push -- b.py", "git clean -f src", "make"),
        *("git checkout -- b.py", "cd src && git clean -f", "cat <<E\ngit stash\nE\n", "# git stash", "git push"),
    ],
)
def test_harmless_forms_pass(dirty: Path, bob: Workspace, command: str) -> None:
    assert bob.git.check(command=command).allowed


def test_nobody_loses_anything(world: World, dirty: Path, ann: Workspace, bob: Workspace, git: Git) -> None:
    git("add", ".")
    git("commit", "-q", "-m", "All of it.")
    assert bob.git.check(command="git reset --hard").allowed, "nothing is uncommitted"
    (dirty / "b.py").write_text("more")
    assert bob.git.check(command="git reset --hard").allowed, "only his own"
    (dirty / "a.py").write_text("more")
    assert not bob.git.check(command="git reset --hard").allowed
    ann.claim.release(files=["**"])
    assert bob.git.check(command="git reset --hard").allowed, "nobody holds it"


def test_the_dead_lose_nothing(world: World, root: Path, bob: Workspace, machine: FakeMachine) -> None:
    process = machine.start()
    world.agent("cid", root=str(root), observer=process).claim.acquire(files=["a.py"])
    (root / "a.py").write_text("work")
    assert not bob.git.check(command="git reset --hard").allowed
    machine.kill(process)
    assert bob.git.check(command="git reset --hard").allowed


def test_nobody_edits_while_a_sweep_runs(world: World, root: Path, ann: Workspace, bob: Workspace) -> None:
    """Git would take away what is written between the question and the command."""
    assert bob.command.check(command="git stash").allowed
    refused = ann.edit.check(files=["b.py"])
    assert refused.refusal == (
        'bob runs "git stash" in this work tree just now. Nothing was changed. Make the edit again in a moment.'
    )
    bob.edit.compare(command="git stash")
    assert bob.git.check(command="git stash").allowed
    world.clock.advance(31)
    assert ann.edit.check(files=["b.py"]).allowed


def test_an_edit_that_was_let_and_not_made_yet_is_at_stake(
    world: World, root: Path, ann: Workspace, bob: Workspace
) -> None:
    world.clock.ms = (root / "a.py").stat().st_mtime_ns // 1_000_000 + 1000
    ann.edit.check(files=["a.py"])
    assert 'uncommitted changes of "a.py"' in bob.git.check(command="git reset --hard").refusal
    world.clock.advance(121)
    assert bob.git.check(command="git reset --hard").allowed


def test_another_worktree_is_looked_at_where_the_command_runs(
    world: World, dirty: Path, root: Path, machine: FakeMachine
) -> None:
    other = root.parent / "other"
    run(root, "worktree", "add", "-q", str(other), "-b", "other")
    cid = world.agent("cid", root=str(root), worktree=str(other), observer=machine.start())
    assert cid.git.check(command="git reset --hard", cwd=str(other)).allowed
    assert cid.git.check(command="git reset --hard", cwd=str(root)).holders == ("ann", "bob")
    assert cid.git.check(command=f"cd {root} && git stash", cwd=str(other)).holders == ("ann", "bob")


def test_without_an_answer_of_git_all_that_is_held_may_be_lost(
    dirty: Path, ann: Workspace, bob: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_process, "TIMEOUT_S", 0.0)
    ann.claim.acquire(files=["lib"])
    refused = bob.git.check(command="git reset --hard")
    assert refused.holders == ("ann",)
    assert refused.refusal.startswith(
        '"git reset --hard": git did not say in time what has changed, '
        'so it may take away changes of "a.py", "lib", "new.py".'
    )
    assert 'changes of "a.py". ' in bob.git.check(command="git stash push -- a.py b.py").refusal
    assert 'changes of "lib/inner". ' in bob.git.check(command="git stash push -- lib/inner").refusal
    for command in ("git stash push -- b.py", "cd src && git clean -f", "git stash drop"):
        assert bob.git.check(command=command).allowed
    ann.claim.release(files=["**"])
    assert bob.git.check(command="git reset --hard").allowed


def test_a_person_lets_it_through_with_a_reason(world: World, dirty: Path, bob: Workspace) -> None:
    without = bob.git.check(command="COMITY_BYPASS=1 git stash")
    assert "COMITY_BYPASS needs a reason" in without.refusal
    command = "COMITY_BYPASS=1 COMITY_BYPASS_REASON='Ann agreed' git stash"
    assert bob.git.check(command=command).warning.endswith('It was let through: "Ann agreed"')
    assert bob.git.check(command="git reset --hard", reason="told to").allowed
    events = [json.loads(event["metadata_json"]) for event in audit(world.path, "guard.bypassed")]
    assert [(event["command"], event["reason"], event["files"]) for event in events] == [
        ("git stash", "Ann agreed", ["a.py"]),
        ("git reset --hard", "told to", ["a.py"]),
    ]


def test_a_stash_is_its_makers(world: World, root: Path, git: Git, ann: Workspace, bob: Workspace) -> None:
    (root / "a.py").write_text("work")
    made = run(root, "log", "-1", "--format=%ct")
    world.clock.ms = int(made) * 1000
    assert ann.git.check(command="git stash").allowed
    git("stash")
    world.clock.ms = (int(run(root, "log", "-1", "--format=%ct", "stash@{0}")) + 1) * 1000
    for command in ("git stash drop", "git stash pop", "git stash clear", "git stash drop stash@{0}"):
        refused = bob.git.check(command=command)
        assert refused.holders == ("ann",)
        assert '"stash@{0}" was stashed by Ann (ann), with changes of "a.py"' in refused.refusal
        assert ann.git.check(command=command).allowed
    ann.session.end()
    assert bob.git.check(command="git stash drop").allowed


def test_a_forced_push_warns(root: Path, git: Git, ann: Workspace, bob: Workspace) -> None:
    remote = root.parent / "remote.git"
    run(root.parent, "init", "-q", "--bare", str(remote))
    git("remote", "add", "origin", str(remote))
    git("push", "-q", "origin", "main")
    assert bob.git.check(command="git push --force").warning == ""
    git("commit", "-q", "--amend", "-m", "Begin anew.")
    for command in ("git push --force", "git push -f origin main", "git push origin +main"):
        verdict = bob.git.check(command=command)
        assert verdict.allowed
        assert "takes commits away from the remote branch" in verdict.warning
        assert "Begin. (Tess)" in verdict.warning
    assert bob.git.check(command="git push --force-with-lease").warning == ""


def test_what_peers_hold_is_not_committed(
    world: World, dirty: Path, ann: Workspace, bob: Workspace, machine: FakeMachine
) -> None:
    verdict = bob.edit.held(files=["a.py", "b.py"])
    assert verdict.holders == ("ann",)
    assert "git commit -- b.py" in verdict.refusal
    assert ann.edit.held(files=["a.py"]).allowed
    person = world.agent("somebody", start=False, root=str(dirty))
    assert not person.edit.held(files=["b.py"]).allowed
    assert person.edit.held(files=["b.py"], reason="release").allowed
    assert [event["agent_id"] for event in audit(world.path, "guard.bypassed")] == ["somebody"]


@pytest.mark.parametrize(
    ("command", "sweeps"), [("rm -rf src", True), ("find src -name '*.py' -delete", True), ("rm -rf build", False)]
)
def test_nobody_edits_under_a_command_that_takes_files_away(
    ann: Workspace, bob: Workspace, root: Path, command: str, sweeps: bool
) -> None:
    """Between the word that it may run and its end an edit would be lost; of files that git does not track none is."""
    (root / "build").mkdir()
    (root / "build/out.log").write_text("made\n")
    assert bob.command.check(command=command).allowed
    refused = ann.edit.check(files=["src/c.py"])
    assert refused.allowed != sweeps
    assert ("in this work tree just now" in refused.refusal) == sweeps
    bob.edit.compare(command=command)
    assert ann.edit.check(files=["src/c.py"]).allowed
