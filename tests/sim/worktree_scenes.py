"""Scenes of worktrees and the radar, each in a case in which it writes in one transaction; git is real."""

from __future__ import annotations

import shutil
from pathlib import Path

from comity import Workspace
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import run
from tests.sim.scene import Scene


def _ann(world: World) -> tuple[Workspace, FakeMachine, Path]:
    """In a repository with a commit, with a worktree for her task."""
    root = Path(world.path).parent.resolve() / "repo"
    root.mkdir()
    (root / "a.py").write_text("a\n")
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin."]):
        run(root, *arguments)
    machine = FakeMachine()
    ann = world.agent("ann", root=str(root), observer=machine.start(), database=world.path)
    ann.task.dispatch(title="Parser")
    return ann, machine, Path(ann.worktree.create(task_id="task-001").worktree.path)


def create(world: World) -> Scene:
    """It is there."""
    return Scene(_ann(world)[0], "worktree.create", {"task_id": "task-001"})


def listed(world: World) -> Scene:
    return Scene(_ann(world)[0], "worktree.list", {})


def remove(world: World) -> Scene:
    """Its folder is gone."""
    ann, _, path = _ann(world)
    shutil.rmtree(path)
    run(Path(ann.actor.root), "worktree", "prune")
    return Scene(ann, "worktree.remove", {"name": "task-001"})


def mend(world: World) -> Scene:
    """Whoever made it was killed when it was whole."""
    ann, machine, _ = _ann(world)
    process = machine.start()
    told = f'{{"pid":{process.pid},"started":"x","boot_id":"boot-1","namespace":"pid:[1]"}}'
    with world.store.writing() as tx:
        tx.run("worktrees.move", name=".worktrees/ann-task-001", state="making", process=told)
    machine.kill(process)
    return Scene(ann, "worktree.mend", {})


def look(world: World) -> Scene:
    ann, _, path = _ann(world)
    (path / "a.py").write_text("mine\n")
    run(path, "commit", "-qam", "Mine.")
    (Path(ann.actor.root) / "a.py").write_text("theirs\n")
    return Scene(ann, "radar.look", {})


def integrate(world: World) -> Scene:
    """Without a check command nothing lands."""
    return Scene(_ann(world)[0], "integration.run", {"sources": ["task-001"]}, "integration.no_check")


def begin_integration(world: World) -> Scene:
    return Scene(_ann(world)[0], "integration.begin", {"sources": ["task-001"], "unchecked": True})


SCENES = [create, listed, remove, mend, look, integrate, begin_integration]
