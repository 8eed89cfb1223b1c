"""An attempt whose process was killed: what had landed is told, and a move by halves is taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comity import Workspace
from comity.kernel.problem import Conflict, Unavailable
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import Git, run

AFTER = {"a.py": "after\n", "src/new/deep.py": "new\n", "long.txt": "line\n" * 200}


@pytest.fixture
def tip(root: Path, git: Git) -> str:
    """A commit that main may move to: one file is changed, two are new, one is gone."""
    git("switch", "-q", "-c", "done")
    for name, text in AFTER.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "src/c.py").unlink()
    git("add", "-A")
    git("commit", "-qm", "Done.")
    git("switch", "-q", "main")
    return git("rev-parse", "done").strip()


def _killed(world: World, machine: FakeMachine, git: Git, tip: str) -> None:
    """As if an attempt had been killed while main moved to the tip."""
    process = machine.start()
    told = f'{{"pid":{process.pid},"started":"tick-9","boot_id":"boot-1","namespace":"pid:[1]"}}'
    one = {"source": "done", "branch": "done", "fate": "landed", "agentId": "ann"}
    outcome = {"outcomes": [one], "before": git("rev-parse", "main").strip(), "after": tip}
    values = {"integration_id": "x", "base": "main", "branches": '["done"]', "scratch": ".worktrees/integration-x"}
    with world.store.writing() as tx:
        tx.run("integration.begin", agent_id="eve", process=told, now_ms=1, **values)
        tx.run("integration.landing", integration_id="x", outcome=json.dumps(outcome))
    machine.kill(process)


def _ended(who: Workspace) -> list[str]:
    return [one.state for one in who.integration.list().integrations]


def test_a_checkout_that_was_moved_by_halves_is_put_back(
    world: World, ann: Workspace, root: Path, git: Git, tip: str, machine: FakeMachine
) -> None:
    (root / "a.py").write_text(AFTER["a.py"])
    (root / "src/new").mkdir()
    (root / "src/new/deep.py").write_text(AFTER["src/new/deep.py"])
    (root / "long.txt").write_text(AFTER["long.txt"][:77])
    (root / "src/c.py").unlink()
    (root / "b.py").write_text("somebody's work\n")
    (root / ".git/index.lock").write_bytes(b"")
    _killed(world, machine, git, tip)
    assert "did not land" in ann.integration.mend().mended[0]
    assert git("status", "--porcelain") == " M b.py\n"
    assert (root / "b.py").read_text() == "somebody's work\n"
    assert not (root / "src/new").exists()
    assert _ended(ann) == ["interrupted"]
    git("checkout", "-q", "b.py")
    assert [one.fate for one in ann.integration.run(sources=["done"], unchecked=True).outcomes] == ["landed"]


def test_an_index_that_had_moved_already_is_put_back(
    world: World, ann: Workspace, git: Git, tip: str, machine: FakeMachine
) -> None:
    git("read-tree", "-m", "-u", "main", tip)
    _killed(world, machine, git, tip)
    ann.integration.mend()
    assert git("status", "--porcelain") == ""


def test_work_in_a_file_that_was_to_move_stays(
    world: World, ann: Workspace, root: Path, git: Git, tip: str, machine: FakeMachine
) -> None:
    (root / "a.py").write_text("somebody's\n")
    _killed(world, machine, git, tip)
    ann.integration.mend()
    assert (root / "a.py").read_text() == "somebody's\n"


def test_what_had_landed_is_told_as_landed(
    world: World, ann: Workspace, bob: Workspace, git: Git, tip: str, machine: FakeMachine
) -> None:
    _killed(world, machine, git, tip)
    git("merge", "-q", "--ff-only", tip)
    (shown,) = bob.integration.list().integrations
    assert "Its process is gone" in shown.notes[0]
    assert "it had landed" in bob.integration.mend().mended[0]
    (shown,) = bob.integration.list().integrations
    assert (shown.state, shown.after, shown.notes) == ("landed", tip, [])
    assert "has landed" in ann.message.poll().deliveries[0].content
    assert bob.integration.mend().mended == []


def test_a_scratch_worktree_that_git_does_not_know_any_more_goes(
    world: World, ann: Workspace, root: Path, git: Git, tip: str, machine: FakeMachine
) -> None:
    scratch = root / ".worktrees/integration-x"
    run(root, "worktree", "add", "-q", "--detach", str(scratch))
    (scratch / ".git").unlink()
    _killed(world, machine, git, tip)
    ann.integration.mend()
    assert not scratch.exists()
    assert git("worktree", "list").count("\n") == 1


def test_files_that_came_along_into_a_worktree_do_not_make_it_unfinished(ann: Workspace, root: Path) -> None:
    (root / ".worktreeinclude").write_text("local.txt\n")
    (root / "local.txt").write_text("local\n")
    path = Path(ann.worktree.create(task_id="task-001").worktree.path)
    (path / "new.py").write_text("new\n")
    run(path, "add", "new.py")
    run(path, "commit", "-qm", "New.")
    assert [one.fate for one in ann.integration.run(sources=["task-001"], unchecked=True).outcomes] == ["landed"]
    (path / "local.txt").write_text("mine\n")
    with pytest.raises(Conflict) as caught:
        ann.integration.run(sources=["task-001"], unchecked=True)
    assert caught.value.reason == "integration.unfinished"


@pytest.mark.parametrize("name", [".worktrees", ".git/worktrees", ".git/info/exclude"])
def test_what_stands_in_the_way_of_the_scratch_worktree_is_told_and_nothing_moves(
    ann: Workspace, root: Path, git: Git, tip: str, name: str
) -> None:
    place = root / name
    if name.endswith("exclude"):
        place.unlink(missing_ok=True)
        place.mkdir(parents=True)
    else:
        place.write_text("in the way\n")
    before = git("rev-parse", "main")
    with pytest.raises(Unavailable) as caught:
        ann.integration.run(sources=["done"], base="main", unchecked=True)
    assert caught.value.reason == "integration.git_failed"
    assert git("rev-parse", "main") == before
    assert _ended(ann) == ["interrupted"]
    assert place.exists()
