"""Uncommitted work belongs to whoever changed it last, as long as that one lives: a fact, and no lease."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.scope import HostSession
from comity.testing import FakeMachine, World
from comity.testing.world import START_MS, FakeProcess
from tests.rooms.edits.conftest import Git
from tests.wire_format import audit, dump

FAR_MS = START_MS + 100 * 365 * 86_400_000  # a time at which every file is old
SWEEPS = ("git checkout -- .", "git stash -u", "git reset -q --hard", "git clean -fd", "rm -rf src", "rm -rf *")
MAKERS: dict[str, Callable[[Path], object]] = {
    "python3 gen.py": lambda root: [(root / name).write_text("Ann's\n") for name in ("a.py", "src/new.py")],
    "make gen": lambda root: [(root / name).write_text("Ann's\n") for name in ("a.py", "src/new.py")],
    "mv b.py src/new.py": lambda root: (root / "b.py").rename(root / "src/new.py"),
}


def hooks(machine: FakeMachine) -> FakeProcess:
    """What a hook reports: a lease, and no process."""
    process = machine.start()
    process.presence = process.presence._replace(pid=None, started="", lease_ms=900_000)
    return process


def edit(agent: Workspace, root: Path, name: str, text: str = "work\n") -> None:
    """An edit as a host makes it: asked, made, told."""
    assert agent.edit.check(files=[name]).allowed
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)
    agent.edit.landed(files=[str(root / name)])


def run(agent: Workspace, command: str, does: Callable[[], object]) -> list[str]:
    """A command as a host runs it; the files of peers that it changed."""
    assert agent.command.check(command=command).allowed
    does()
    return [breach.file_path for breach in agent.edit.compare(command=command).breaches]


@pytest.mark.parametrize("command", SWEEPS)
def test_no_lease_ends_it(world: World, ann: Workspace, bob: Workspace, root: Path, command: str) -> None:
    """Ann's tests run for an hour: her claim has lapsed long ago."""
    edit(ann, root, "src/c.py")
    edit(ann, root, "src/new.py")
    world.clock.advance(3600)
    assert ann.claim.list().claims == []
    refused = bob.command.check(command=command)
    assert refused.holders == ("ann",)
    assert "has not committed it" in refused.refusal
    assert not bob.edit.check(files=["src/c.py"]).allowed


@pytest.mark.parametrize("maker", MAKERS)
def test_what_a_command_made_is_its_agents_too(
    world: World, ann: Workspace, bob: Workspace, root: Path, maker: str
) -> None:
    assert run(ann, maker, lambda: MAKERS[maker](root)) == []
    world.clock.advance(3600)
    assert bob.command.check(command="git stash -u").holders == ("ann",)
    assert not bob.edit.check(files=["src/new.py"]).allowed
    assert ann.command.check(command="git stash -u").allowed


def test_what_git_ignores_is_nobodys_when_a_command_made_it(ann: Workspace, bob: Workspace, root: Path) -> None:
    run(ann, "make", lambda: (root / "build.log").write_text("x"))
    assert bob.command.check(command="rm build.log").allowed
    edit(ann, root, "notes.log")
    assert bob.command.check(command="rm notes.log").holders == ("ann",), "she wrote it herself"


def test_it_ends_when_it_is_committed_or_undone(ann: Workspace, bob: Workspace, root: Path, git: Git) -> None:
    edit(ann, root, "a.py")
    edit(ann, root, "src/c.py")
    assert not bob.command.check(command="git reset --hard").allowed
    git("commit", "-q", "-m", "Done.", "--", "a.py")
    (root / "src/c.py").write_text("src/c.py\n")
    assert bob.command.check(command="git reset --hard").allowed
    again = bob.edit.check(files=["a.py"])
    assert (again.allowed, again.stale) == (False, True), "he may have read it before"
    assert bob.edit.check(files=["a.py"]).allowed
    assert [one.state for one in ann.work.list().files] == ["asked for"], "Bob's"


def test_an_edit_that_was_denied_leaves_nothing_behind(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.edit.check(files=["a.py"])
    assert bob.edit.check(files=["a.py"]).holders == ("ann",), "it may come any moment"
    assert ann.edit.landed(over=True).not_made == ["a.py"]
    assert bob.edit.check(files=["a.py"]).allowed
    assert [claim.agent_id for claim in bob.claim.list().claims] == ["bob"]


def test_a_failed_edit_keeps_nobody_out(ann: Workspace, bob: Workspace, root: Path) -> None:
    ann.edit.check(files=["a.py", "b.py"])
    assert ann.edit.landed(files=[str(root / "a.py")]).not_made == ["a.py"]
    assert bob.edit.check(files=["a.py"]).allowed
    assert not bob.edit.check(files=["b.py"]).allowed


def test_an_edit_is_its_agents_though_no_hook_tells_that_it_was_made(
    world: World, ann: Workspace, bob: Workspace, root: Path
) -> None:
    ann.edit.check(files=["a.py"])
    (root / "a.py").write_text("work\n")
    world.clock.advance(3600)
    assert bob.command.check(command="git stash").holders == ("ann",)
    assert not bob.edit.check(files=["a.py"]).allowed


def test_who_lets_go_lets_go_of_work_too(world: World, ann: Workspace, bob: Workspace, root: Path) -> None:
    edit(ann, root, "a.py")
    world.clock.advance(3600)
    assert ann.claim.release(files=["a.py"]).released_files == ["a.py"]
    assert bob.edit.check(files=["a.py"]).stale
    assert bob.edit.check(files=["a.py"]).allowed
    swept = bob.command.check(command="git stash")
    assert 'Uncommitted changes of "a.py", made 60 min ago, were let go by Ann (ann).' in swept.refusal
    assert bob.command.check(command="git stash").allowed, "told once"


def test_what_the_dead_left_is_shown_once_and_its_files_are_free(
    world: World, root: Path, bob: Workspace, machine: FakeMachine
) -> None:
    process = machine.start()
    carl = world.agent("carl", root=str(root), observer=process)
    edit(carl, root, "a.py")
    edit(carl, root, "new.py")
    machine.kill(process)
    assert [one.state for one in bob.work.list().files] == ["left behind", "left behind"]
    first = bob.command.check(command="git stash -u")
    assert not first.allowed
    assert first.holders == ()
    assert 'It would take away "a.py", "new.py".' in first.refusal or '"new.py", "a.py"' in first.refusal
    assert "were left behind by carl" in first.refusal
    assert [event["reason_code"] for event in audit(world.path, "git.refused")] == ["work.left"]
    assert bob.command.check(command="git stash -u").allowed
    adopted = bob.edit.check(files=["a.py"])
    assert adopted.allowed or adopted.stale
    (root / "a.py").write_text("carl's, and bob's\n")
    bob.edit.landed(files=[str(root / "a.py")])
    assert {one.file_path: one.agent_id for one in bob.work.list().files} == {"a.py": "bob", "new.py": "carl"}


def test_what_was_left_is_shown_to_an_agent_that_is_alone(
    world: World, root: Path, bob: Workspace, ann: Workspace
) -> None:
    edit(ann, root, "a.py")
    ann.session.end()
    assert not bob.command.check(command="git checkout .").allowed
    assert bob.command.check(command="git checkout .").allowed
    assert "left behind uncommitted by" in bob.turn.start().text


def test_a_host_that_is_gone_leaves_its_work_behind(
    world: World, root: Path, bob: Workspace, machine: FakeMachine
) -> None:
    """A session that only hooks know has no process: that of its host tells."""
    program = machine.start()
    host = HostSession("claude-code", "s1", pid=program.pid, started=program.presence.started)
    carl = world.agent("carl", start=False, root=str(root), observer=hooks(machine), host=host)
    edit(carl, root, "a.py")
    world.clock.advance(7200)
    assert bob.edit.check(files=["a.py"]).holders == ("carl",), "its lease is over, and its host runs"
    machine.kill(program)
    assert bob.edit.check(files=["a.py"]).holders == ()


def test_a_subagents_work_is_its_parents_once_it_has_ended(
    world: World, root: Path, bob: Workspace, machine: FakeMachine
) -> None:
    def agent(subagent: str = "") -> Workspace:
        host = HostSession("claude-code", "main", subagent)
        return world.agent("main", start=False, root=str(root), host=host, observer=hooks(machine))

    parent, child = agent(), agent("one")
    parent.edit.check(files=["b.py"])
    edit(child, root, "a.py")
    assert not parent.command.check(command="git stash").allowed, "it is at work"
    child.session.leave()
    assert parent.command.check(command="git stash").allowed
    parent.edit.compare(command="git stash")
    assert bob.command.check(command="git stash").holders == ("main",)


def test_two_commands_at_once_keep_neither_agent_out(
    world: World, ann: Workspace, bob: Workspace, root: Path, machine: FakeMachine
) -> None:
    """Nobody can tell whose command wrote it: a third one is kept off."""
    cid = world.agent("cid", root=str(root), observer=machine.start())
    ann.command.check(command="make")
    bob.command.check(command="make test")
    (root / "out.py").write_text("x\n")
    ann.edit.compare(command="make")
    bob.edit.compare(command="make test")
    assert not cid.command.check(command="git clean -f").allowed
    assert ann.command.check(command="git clean -f").allowed
    ann.edit.compare(command="git clean -f")
    assert bob.command.check(command="git clean -f").allowed


def test_what_was_there_before_others_came_is_the_agents_that_was_alone(
    world: World, root: Path, machine: FakeMachine
) -> None:
    import_ms = (root / "a.py").stat().st_mtime_ns // 1_000_000 + 1000
    world.clock.ms = import_ms - 60_000
    ann = world.agent("ann", root=str(root), observer=machine.start(worktree=str(root)))
    (root / "from a script.py").write_text("x\n")
    world.clock.ms = import_ms
    bob = world.agent("bob", root=str(root), observer=machine.start(worktree=str(root)))
    bob.work.settle()
    assert bob.command.check(command="git clean -f").holders == ("ann",)
    assert ann.command.check(command="git clean -f").allowed


def test_a_lone_agent_pays_nothing(world: World, ann: Workspace, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    before = dump(world.path)
    ann.command.check(command="make")
    (root / "out.py").write_text("x\n")
    ann.edit.compare(command="make")
    assert not ann.edit.pending().others
    assert dump(world.path) == before


def test_a_commit_does_not_take_in_what_a_peer_has_in_progress(
    world: World, ann: Workspace, bob: Workspace, root: Path
) -> None:
    edit(ann, root, "a.py")
    world.clock.advance(3600)
    assert bob.edit.held(files=["a.py", "b.py"]).holders == ("ann",)
    assert ann.edit.held(files=["a.py"]).allowed


@pytest.mark.parametrize("ends", ["lets go", "dies"])
def test_what_nobody_holds_any_more_is_of_whose_command_changes_it(
    world: World, bob: Workspace, root: Path, machine: FakeMachine, ends: str
) -> None:
    process = machine.start()
    ann = world.agent("ann", root=str(root), observer=process)
    edit(ann, root, "a.py", "Ann's\n")
    world.clock.advance(60)
    if ends == "lets go":
        ann.claim.release(files=["a.py"])
    else:
        machine.kill(process)
    assert run(bob, "echo Bob >> a.py", lambda: (root / "a.py").write_text("Ann's\nBob\n")) == []
    cleo = world.agent("cleo", root=str(root), observer=machine.start())
    assert cleo.command.check(command="git checkout a.py").holders == ("bob",)
    assert not cleo.edit.check(files=["a.py"]).allowed


def test_what_was_left_running_may_write_later(
    world: World, ann: Workspace, bob: Workspace, root: Path, git: Git
) -> None:
    """Nobody saw who wrote it; one agent had something running in the background."""
    assert run(ann, "./server &", lambda: None) == []
    world.clock.advance(60)
    (root / "late.txt").write_text("written by the server\n")
    refused = bob.command.check(command="git stash -u")
    assert (refused.allowed, refused.holders) == (False, ())
    assert "perhaps made by what a command left running of Ann (ann)" in refused.refusal
    edit = bob.edit.check(files=["late.txt"])
    assert edit.allowed, "a deliberate edit is free"
    assert "perhaps made by" in edit.warning
    assert bob.command.check(command="git stash -u").allowed, "said once"


@pytest.mark.parametrize("command", ["./server", "./server &"])
def test_what_nothing_left_running_can_have_written_is_nobodys(
    world: World, ann: Workspace, bob: Workspace, root: Path, command: str
) -> None:
    """A file of a person's: nothing was left running, or the file is older than that."""
    world.clock.ms = FAR_MS if command.endswith("&") else START_MS
    assert run(ann, command, lambda: None) == []
    (root / "theirs.txt").write_text("a person's\n")
    assert bob.command.check(command="git stash -u").allowed
