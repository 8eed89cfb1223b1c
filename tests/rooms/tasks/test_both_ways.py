"""Tasks shared with a peer that is as the original: each sees the other's, and no race makes Comity own one twice."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Problem
from comity.testing import World
from tests.original_tasks import Refusal, joined
from tests.wire_format import check, dicts, rows


def reason(workspace: Any, operation: str, **arguments: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        workspace.call(operation, arguments)
    return caught.value


def test_each_sees_and_takes_what_the_other_dispatched(world: World) -> None:
    ann, peer = world.agent("ann"), joined(world.path, "ted", world.clock)
    theirs = peer.dispatch("theirs", priority="P1")
    mine = ann.task.dispatch(title="mine").task
    task = ann.task.get(task_id=theirs).task
    assert (task.number, task.revision, task.level, task.status) == ("task-001", 1, 2, "pending")
    assert [one.task_id for one in ann.task.list().tasks] == peer.list() == [theirs, mine.task_id]
    peer.do("claim", mine.task_id)
    assert reason(ann, "task.claim", task_id="task-002").data["assignedAgentId"] == "ted"
    ann.task.claim(task_id=theirs)
    with pytest.raises(Refusal, match="assigned"):
        peer.do("claim", theirs)
    peer.do("complete", mine.task_id, "done by ted")
    seen = ann.task.get(task_id="task-002").task
    assert (seen.status, seen.result, seen.revision) == ("done", "done by ted", 3)
    check(world.path)


def test_what_comity_writes_is_what_the_original_writes(world: World) -> None:
    ann, peer = world.agent("ann"), joined(world.path, "ted", world.clock)
    for heard in (("claim",), ("start", "block"), ("claim", "complete"), ("cancel",)):
        theirs, mine = peer.dispatch("x"), ann.task.dispatch(title="x").task.task_id
        for step in heard:
            peer.do(step, theirs)
            ann.call(f"task.{step}", {"task_id": mine})
        one, other = (
            {
                **dicts(world.path, "SELECT * FROM macp_ext_tasks WHERE task_id = ?", task_id)[0],
                **dict.fromkeys(("task_id", "dispatcher_agent_id", "assigned_agent_id", "assigned_session_id")),
            }
            for task_id in (theirs, mine)
        )
        assert one == other


@pytest.mark.parametrize("heard", ["claim", "start"])
def test_a_peers_late_update_takes_the_task_and_comity_knows(world: World, heard: str) -> None:
    """E-01: the peer read that the task is free; Comity claims it; the peer writes without looking."""
    ann, peer = world.agent("ann"), joined(world.path, "ted", world.clock)
    task_id = peer.dispatch("contested")
    claimed = []
    peer.do(heard, task_id, between=lambda: claimed.append(ann.task.claim(task_id=task_id, lease_s=60).task))
    assert claimed[0].assigned_agent_id == "ann"
    holders = rows(world.path, "SELECT assigned_agent_id, assigned_session_id FROM macp_ext_tasks")
    assert holders == [("ted", "ted-session")]
    for operation in ("task.complete", "task.block", "task.release"):
        assert reason(ann, operation, task_id=task_id).reason in ("task.not_yours", "task.wrong_state")
    assert reason(ann, "task.start", task_id=task_id).reason == "task.taken"
    stale = reason(ann, "task.complete", task_id=task_id, expected_revision=claimed[0].revision)
    assert (stale.reason, stale.data["revision"], stale.data["assignedAgentId"]) == ("task.stale", 3, "ted")
    world.clock.advance(61)  # the lease was that of ann's hold, and went with it
    assert ann.task.next().task is None
    assert reason(ann, "task.claim", task_id=task_id).reason == "task.taken"


def test_a_peers_late_update_of_a_finished_task_is_seen_by_its_revision(world: World) -> None:
    """E-02: the peer cancels what Comity completed meanwhile."""
    ann, peer = world.agent("ann"), joined(world.path, "ted", world.clock)
    task_id = peer.dispatch("x")
    task = ann.task.claim(task_id=task_id).task
    peer.do("cancel", task_id, between=lambda: ann.task.complete(task_id=task_id, expected_revision=task.revision))
    after = ann.task.get(task_id=task_id).task
    assert (after.status, after.revision) == ("cancelled", task.revision + 2)


def test_a_released_task_is_free_for_the_original(world: World) -> None:
    ann, peer = world.agent("ann"), joined(world.path, "ted", world.clock)
    task_id = ann.task.dispatch(title="x").task.task_id
    ann.task.start(task_id=task_id)
    ann.task.release(task_id=task_id, note="half of it")
    peer.do("claim", task_id)
    assert peer.get(task_id)["assigned_agent_id"] == "ted"
    task = ann.task.get(task_id=task_id).task
    assert task.handoff is not None
    assert task.handoff["summary"] == "half of it"


def test_a_new_session_takes_its_tasks_along_without_a_new_revision(world: World) -> None:
    ann = world.agent("ann")
    ann.task.dispatch(title="x")
    revision = ann.task.claim(task_id="task-001").task.revision
    newer = world.agent("ann")
    assert newer.task.start(task_id="task-001", expected_revision=revision).task.status == "in-progress"
    assert reason(ann, "task.complete", task_id="task-001").reason == "MACP_ERR_SESSION_UNKNOWN"


def test_a_file_without_the_triggers_still_works(world: World) -> None:
    """Somebody removed what Comity added but its tables: absent rows are defaults."""
    ann, peer = world.agent("ann"), joined(world.path, "ted", world.clock)
    for name in ("comity_task_added", "comity_task_changed"):
        rows(world.path, f"DROP TRIGGER {name}")
    theirs = peer.dispatch("theirs")
    task = ann.task.get(task_id=theirs).task
    assert (task.number, task.revision, task.level) == (None, 1, 3)
    assert ann.task.claim(task_id=theirs, lease_s=5, expected_revision=1).task.lease_expires_at is not None
    ann.task.release(task_id=theirs, note="n")
    assert ann.task.dispatch(title="mine").task.number == "task-002"
    assert ann.task.next().task is not None
    check(world.path)


def test_tasks_from_before_get_numbers(tmp_path: Any) -> None:
    path = tmp_path / "old.macp.db"
    with World() as clock_only:
        peer = joined(str(path), "ted", clock_only.clock)
        first = peer.dispatch("first")
        clock_only.clock.advance(1)
        second = peer.dispatch("second")
        peer.agent.close()
        with World(path, clock=clock_only.clock) as world:
            ann = world.agent("ann")
            assert [ann.task.get(task_id=ref).task.task_id for ref in ("task-001", "TASK-2")] == [first, second]


def test_numbers_that_are_ids_are_ambiguous(world: World) -> None:
    ann = world.agent("ann")
    ann.task.dispatch(title="x")
    rows(world.path, "INSERT INTO macp_ext_tasks (task_id, title, dispatcher_agent_id, created_at, updated_at)"
         " VALUES ('task-001', 'y', 'ann', '', ''), ('task-007', 'z', 'ann', '', '')")  # fmt: skip
    assert reason(ann, "task.get", task_id="task-001").reason == "task.ambiguous"
    assert ann.task.get(task_id="task-007").task.title == "z"
    assert ann.task.get(task_id="task-01").task.title == "x"
