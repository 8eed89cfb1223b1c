"""The brief tells the holder of a task that others work in the same checkout."""

from __future__ import annotations

from pathlib import Path

from comity.testing import FakeMachine, World
from tests.sim.turn_scenes import hooked


def test_who_shares_a_checkout_is_told_how_to_get_one(world: World, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    machine, root = FakeMachine(), str(tmp_path)
    cid = hooked(world, "cid", machine)
    cid = cid.acting_as(cid.actor._replace(root=root))
    cid.turn.start(source="startup")
    cid.task.add(title="Parser")
    cid.task.claim(task_id="task-001")
    cid.task.start(task_id="task-001")
    assert "others edit in" not in cid.turn.start(source="compact").text
    world.agent("bob", root=root, observer=machine.start(worktree=root))
    told = [line for line in cid.turn.start(source="compact").text.splitlines() if "others edit in" in line]
    assert len(told) == 1
    assert "task-001" in told[0]
    with world.store.writing() as tx:
        own = '{"branch":"cid/task-001"}'
        tx.run("tasks.set_worktree", task_id=cid.task.get(task_id="task-001").task.task_id, worktree=own)
    assert "own for your task" not in cid.turn.start(source="compact").text
