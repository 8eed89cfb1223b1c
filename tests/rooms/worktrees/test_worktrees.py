"""Worktrees for tasks: made, listed, furnished and taken away, on real repositories, without losing work."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.problem import Conflict, Invalid, NotFound, Problem, Unavailable
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git, run


def test_a_worktree_stands_on_a_branch_of_its_own_that_begins_at_the_base(ann: Workspace, root: Path, git: Git) -> None:
    made = ann.worktree.create(task_id="task-001")
    path = root / ".worktrees" / "ann-task-001"
    assert made.created
    assert (made.worktree.path, made.worktree.branch, made.worktree.base) == (str(path), "ann/task-001", "main")
    assert (path / "a.py").read_text() == "a.py\n"
    assert git("rev-parse", "ann/task-001") == git("rev-parse", "main")
    assert git("status", "--porcelain") == "", "the folder of worktrees is kept out of git"
    assert ann.task.get(task_id="task-001").task.worktree == {"branch": "ann/task-001", "path": str(path)}


def test_asking_again_finds_it_as_it_is(ann: Workspace) -> None:
    path = Path(ann.worktree.create(task_id="task-001").worktree.path)
    (path / "a.py").write_text("mine\n")
    again = ann.worktree.create(task_id="task-001")
    assert not again.created
    assert again.worktree.changed == 1
    assert (path / "a.py").read_text() == "mine\n"


@pytest.mark.parametrize("remote_head", [True, False])
def test_the_base_is_found_from_what_the_repository_has(
    ann: Workspace, root: Path, git: Git, tmp_path: Path, remote_head: bool
) -> None:
    git("branch", "-m", "main", "release")
    git("clone", "-q", "--bare", str(root), str(tmp_path / "origin.git"))
    git("remote", "add", "origin", str(tmp_path / "origin.git"))
    git("fetch", "-q", "origin")
    if remote_head:
        git("remote", "set-head", "origin", "release")
    git("switch", "-q", "-c", "wip")
    base = ann.worktree.create(task_id="task-001").worktree.base
    assert base == ("release" if remote_head else "wip")


def test_a_branch_with_own_commits_is_gone_on_with_and_never_reset(ann: Workspace, root: Path, git: Git) -> None:
    git("switch", "-q", "-c", "ann/task-001")
    (root / "a.py").write_text("worth keeping\n")
    git("commit", "-qam", "Work.")
    tip = git("rev-parse", "HEAD")
    git("switch", "-q", "main")
    made = ann.worktree.create(task_id="task-001")
    assert git("rev-parse", "ann/task-001") == tip
    assert made.worktree.ahead == 1
    assert "goes on" in made.notes[0]


def test_a_branch_without_own_commits_goes_forward_to_its_base(ann: Workspace, root: Path, git: Git) -> None:
    git("branch", "ann/task-001")
    (root / "b.py").write_text("newer\n")
    git("commit", "-qam", "Go on.")
    made = ann.worktree.create(task_id="task-001")
    assert (made.worktree.ahead, made.worktree.behind) == (0, 0)
    assert "moved forward" in made.notes[0]


def test_a_branch_that_is_checked_out_elsewhere_is_named(ann: Workspace, git: Git, root: Path) -> None:
    git("worktree", "add", "-q", "-b", "ann/task-001", str(root.parent / "other"))
    with pytest.raises(Conflict, match="checked out in") as caught:
        ann.worktree.create(task_id="task-001")
    assert caught.value.reason == "worktree.branch_in_use"


def test_an_agents_name_that_is_a_branch_does_not_stand_in_the_way(ann: Workspace, git: Git) -> None:
    git("branch", "ann")
    assert ann.worktree.create(task_id="task-001").worktree.branch == "ann-task-001"


@pytest.mark.parametrize(
    "name",
    ["--upload-pack=x", "-b", "a b", "a..b", "a~1", "/a", "a/", "a.lock", ".a", "@", "a@{1}", "a\nb", "a:b", "a^"],
)
def test_names_that_git_takes_for_something_else_are_refused(ann: Workspace, git: Git, name: str) -> None:
    with pytest.raises(Invalid) as caught:
        ann.worktree.create(task_id="task-001", base_branch=name)
    assert caught.value.reason == "branch.invalid"
    assert git("branch", "--list", "ann/*") == ""


def test_an_unknown_base_names_the_branches_that_there_are(ann: Workspace) -> None:
    with pytest.raises(NotFound) as caught:
        ann.worktree.create(task_id="task-001", base_branch="nowhere")
    assert "main" in caught.value.hint


def test_a_repository_without_commits_says_what_to_do(world: World, tmp_path: Path, machine: FakeMachine) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    run(empty, "init", "-q", "-b", "main")
    eve = world.agent("eve", root=str(empty), observer=machine.start(), database=world.path)
    eve.task.dispatch(title="Begin")
    with pytest.raises(Conflict) as caught:
        eve.worktree.create(task_id="task-001")
    assert caught.value.reason == "worktree.no_commits"


def test_a_folder_without_git_says_so(world: World, tmp_path: Path, machine: FakeMachine) -> None:
    eve = world.agent("eve", root=str(tmp_path), observer=machine.start(), database=world.path)
    eve.task.dispatch(title="Begin")
    with pytest.raises(Unavailable) as caught:
        eve.worktree.create(task_id="task-001")
    assert caught.value.reason == "worktree.no_repository"


@pytest.mark.parametrize("form", ["shallow", "submodule", "rebase", "sparse"])
def test_repositories_of_other_forms_work_as_well(
    world: World, root: Path, git: Git, tmp_path: Path, machine: FakeMachine, form: str
) -> None:
    place = root
    if form == "shallow":
        place = tmp_path / "shallow"
        git("clone", "-q", "--depth", "1", f"file://{root}", str(place))
    elif form == "submodule":
        git("-c", "protocol.file.allow=always", "submodule", "add", "-q", f"file://{root}", "inner")
        git("commit", "-qm", "Add.")
    elif form == "rebase":
        for branch, text in (("one", "1\n"), ("two", "2\n")):
            git("switch", "-q", "-c", branch, "main")
            (root / "a.py").write_text(text)
            git("commit", "-qam", branch)
        with pytest.raises(subprocess.CalledProcessError):
            git("rebase", "one")
    else:
        git("sparse-checkout", "set", "src")
    eve = world.agent("eve", root=str(place), observer=machine.start(), database=world.path)
    eve.task.dispatch(title="Begin")
    made = eve.worktree.create(task_id="task-001", base_branch="main")
    assert (Path(made.worktree.path) / "src" / "c.py").exists()
    assert form != "submodule" or "submodules" in " ".join(made.notes)


def test_nothing_that_the_repository_brings_is_run(ann: Workspace, root: Path, git: Git, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    (root / ".gitattributes").write_text("*.py filter=evil\n")
    git("add", ".gitattributes")
    git("commit", "-qm", "Attributes.")
    hook = root / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
    hook.chmod(0o755)
    for key in ("smudge", "clean", "process"):
        git("config", f"filter.evil.{key}", f"touch {ran}; cat")
    git("config", "filter.evil.required", "true")
    git("config", "core.fsmonitor", f"touch {ran}")
    made = ann.worktree.create(task_id="task-001")
    assert not ran.exists()
    assert (Path(made.worktree.path) / "a.py").read_text() == "a.py\n"
    assert "evil" in made.notes[0]
    assert "were not run" in made.notes[0]


def test_files_that_worktreeinclude_names_come_along_and_no_others(ann: Workspace, root: Path, git: Git) -> None:
    (root / ".worktreeinclude").write_text("*.log\n!secret.log\nlocal/\n")
    (root / "build.log").write_text("kept\n")
    (root / "secret.log").write_text("not\n")
    (root / "local").mkdir()
    (root / "local" / "tool.sh").write_text("#!/bin/sh\n")
    (root / "local" / "tool.sh").chmod(0o755)
    (root / "other.txt").write_text("not\n")
    made = ann.worktree.create(task_id="task-001")
    path = Path(made.worktree.path)
    assert sorted(made.copied) == ["build.log", "local/tool.sh"]
    assert (path / "build.log").read_text() == "kept\n"
    assert os.access(path / "local" / "tool.sh", os.X_OK)
    assert not (path / "secret.log").exists()
    assert not (path / "other.txt").exists()


def test_a_task_that_another_holds_gets_no_second_worktree(ann: Workspace, bob: Workspace) -> None:
    bob.task.claim(task_id="task-001")
    with pytest.raises(Conflict) as caught:
        ann.worktree.create(task_id="task-001")
    assert caught.value.reason == "worktree.task_held"


def test_the_list_tells_whose_each_is_and_what_is_in_it(ann: Workspace, bob: Workspace, git: Git) -> None:
    mine, theirs = (who.worktree.create(task_id=task) for who, task in ((ann, "task-001"), (bob, "task-002")))
    path = Path(mine.worktree.path)
    (path / "a.py").write_text("changed\n")
    run(path, "commit", "-qam", "Work.")
    (path / "b.py").write_text("not yet\n")
    (path / "new.py").write_text("new\n")
    listed = {one.name: one for one in ann.worktree.list().worktrees}
    assert listed["."].main
    one = listed[mine.worktree.name]
    assert (one.agent_id, one.task, one.changed, one.ahead, one.behind) == ("ann", "task-001", 2, 1, 0)
    assert (one.owner, one.merged, one.abandoned) == ("living", False, False)
    assert listed[theirs.worktree.name].agent_id == "bob"
    run(path, "stash", "-q", "-u")
    git("merge", "-q", "ann/task-001")
    assert {one.name: one for one in ann.worktree.list().worktrees}[mine.worktree.name].merged


def test_a_dead_agents_worktree_is_offered_and_stays(
    ann: Workspace, world: World, root: Path, machine: FakeMachine
) -> None:
    process = machine.start()
    eve = world.agent("eve", root=str(root), observer=process, database=world.path)
    path = Path(eve.worktree.create(task_id="task-003").worktree.path)
    (path / "a.py").write_text("left\n")
    machine.kill(process)
    listed = ann.worktree.list()
    assert next(one for one in listed.worktrees if one.agent_id == "eve").abandoned
    assert any("eve is gone and left work" in note for note in listed.notes)
    again = ann.worktree.create(task_id="task-003")
    assert (again.created, again.worktree.path) == (False, str(path))
    assert (path / "a.py").read_text() == "left\n"


def test_removal_refuses_to_lose_work(ann: Workspace) -> None:
    path = Path(ann.worktree.create(task_id="task-001").worktree.path)
    (path / "new.py").write_text("work\n")
    with pytest.raises(Conflict) as caught:
        ann.worktree.remove(name="task-001")
    assert caught.value.reason == "worktree.work"
    with pytest.raises(Invalid) as unreasoned:
        ann.worktree.remove(name="task-001", force=True)
    assert unreasoned.value.reason == "worktree.reason"
    assert (path / "new.py").read_text() == "work\n"


def test_what_goes_by_force_is_kept(ann: Workspace) -> None:
    path = Path(ann.worktree.create(task_id="task-001").worktree.path)
    (path / "new.py").write_text("work\n")
    (path / "a.py").write_bytes(b"\0\1\2")
    gone = ann.worktree.remove(name="task-001", force=True, reason="a dead end")
    assert not path.exists()
    assert gone.kept == 2
    kept = {one.file_path: one for one in ann.rescue.list(lost=True).versions}
    assert set(kept) == {"new.py", "a.py"}
    assert kept["new.py"].lost_by == "ann"


def test_a_branch_goes_only_when_its_base_has_all_of_it(ann: Workspace, git: Git) -> None:
    for task in ("task-001", "task-002"):
        path = Path(ann.worktree.create(task_id=task).worktree.path)
        (path / "a.py").write_text(f"{task}\n")
        run(path, "commit", "-qam", task)
    git("merge", "-q", "ann/task-001")
    assert ann.worktree.remove(name="task-001").branch_deleted
    assert not ann.worktree.remove(name="ann/task-002").branch_deleted
    assert git("branch", "--list", "ann/*").split() == ["ann/task-002"]


def test_nobody_elses_worktree_goes_while_they_live(
    ann: Workspace, world: World, root: Path, machine: FakeMachine
) -> None:
    process = machine.start()
    eve = world.agent("eve", root=str(root), observer=process, database=world.path)
    path = Path(eve.worktree.create(task_id="task-003").worktree.path)
    with pytest.raises(Conflict) as caught:
        ann.worktree.remove(name="task-003", force=True, reason="tidy")
    assert caught.value.reason == "worktree.in_use"
    machine.kill(process)
    ann.worktree.remove(name="task-003")
    assert not path.exists()


def test_a_worktree_in_which_somebody_works_stays(
    ann: Workspace, world: World, root: Path, machine: FakeMachine
) -> None:
    path = ann.worktree.create(task_id="task-001").worktree.path
    process = machine.start(worktree=path)
    world.agent("eve", root=str(root), worktree=path, observer=process, database=world.path)
    with pytest.raises(Conflict, match="eve"):
        ann.worktree.remove(name="task-001")


def test_commits_that_no_branch_has_are_work(ann: Workspace) -> None:
    path = Path(ann.worktree.create(task_id="task-001").worktree.path)
    run(path, "switch", "-q", "--detach")
    (path / "a.py").write_text("loose\n")
    run(path, "commit", "-qam", "Loose.")
    for force in (False, True):
        with pytest.raises(Conflict):
            ann.worktree.remove(name="task-001", force=force, reason="x")
    assert (path / "a.py").read_text() == "loose\n"


@pytest.mark.parametrize("name", ["nowhere", "../..", "/", "-f", "--force", "", "."])
def test_what_is_no_worktree_of_ours_stays(ann: Workspace, root: Path, name: str) -> None:
    with pytest.raises(Problem) as caught:
        ann.worktree.remove(name=name, force=True, reason="x")
    assert caught.value.kind in ("invalid", "not_found", "conflict")
    assert (root / "a.py").exists()


def test_a_folder_that_stands_in_the_way_is_left_alone(ann: Workspace, root: Path) -> None:
    there = root / ".worktrees" / "ann-task-001"
    there.mkdir(parents=True)
    (there / "mine.txt").write_text("mine\n")
    with pytest.raises(Conflict) as caught:
        ann.worktree.create(task_id="task-001")
    assert caught.value.reason == "worktree.occupied"
    assert (there / "mine.txt").read_text() == "mine\n"


def test_what_git_cannot_do_leaves_nothing_half_made(ann: Workspace, root: Path, git: Git) -> None:
    (root / ".git" / "worktrees").write_text("in the way\n")
    with pytest.raises(Unavailable) as caught:
        ann.worktree.create(task_id="task-001")
    assert caught.value.reason == "worktree.git_failed"
    assert git("branch", "--list", "ann/*") == ""
    (root / ".git" / "worktrees").unlink()
    assert ann.worktree.create(task_id="task-001").created


def test_an_interrupted_making_is_ended_by_the_next_call(
    world: World, ann: Workspace, root: Path, git: Git, machine: FakeMachine
) -> None:
    path = Path(ann.worktree.create(task_id="task-001").worktree.path)
    private = root / ".git" / "worktrees" / path.name
    (private / "locked").write_text("initializing")
    (path / "a.py").unlink()
    process = machine.start()
    eve = world.agent("eve", root=str(root), observer=process, database=world.path)
    _interrupt(world, process.pid, "making")
    machine.kill(process)
    bob = world.agent("bob", root=str(root), observer=machine.start(), database=world.path)
    assert bob.worktree.mend().mended == ['".worktrees/ann-task-001": what was half made of it is gone.']
    assert not path.exists()
    assert git("branch", "--list", "ann/*") == ""
    assert ann.worktree.create(task_id="task-001").created
    assert eve.worktree.list().notes == []


def test_a_making_that_was_whole_goes_on(world: World, ann: Workspace, machine: FakeMachine) -> None:
    path = Path(ann.worktree.create(task_id="task-001").worktree.path)
    (path / "a.py").write_text("work\n")
    process = machine.start()
    _interrupt(world, process.pid, "making")
    machine.kill(process)
    assert ann.worktree.mend().mended == ['".worktrees/ann-task-001": it is whole, and goes on.']
    assert (path / "a.py").read_text() == "work\n"


def _interrupt(world: World, pid: int, state: str) -> None:
    """As if the process with this pid had been killed at it."""
    told = f'{{"pid":{pid},"started":"tick-9","boot_id":"boot-1","namespace":"pid:[1]"}}'
    with world.store.writing() as tx:
        tx.run("worktrees.move", name=".worktrees/ann-task-001", state=state, process=told)
