"""A pause holds up whatever begins or changes work, and nothing else, until it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from comity import Workspace
from comity.kernel.problem import Conflict
from comity.rooms import REGISTRY
from comity.rooms.lifecycle.model import Pause
from comity.testing import World

# What a paused workspace refuses, and what it lets go on; a function of the arguments is told by its name.
PAUSED = {
    *("task.dispatch", "task.add", "task.add_many", "task.claim", "task.start", "task.complete", "task.block"),
    *("task.cancel", "task.archive", "task.next", "task.take_next", "task.depend", "task.prioritize"),
    *("task.transition", "goal.create", "goal.update", "claim.acquire", "edit.check", "command.check"),
    *("worktree.create", "worktree.remove", "integration.run", "integration.begin"),
    "rescue.restore",
}


def refused(call: Callable[[], Any]) -> Conflict:
    with pytest.raises(Conflict) as problem:
        call()
    assert problem.value.reason == "workspace.paused"
    return problem.value


def test_each_operation_says_itself_whether_a_pause_holds_it_back() -> None:
    assert {op.name for op in REGISTRY if op.pausable} == PAUSED
    assert all(REGISTRY.get(name).effect == "write" for name in PAUSED)


def test_the_refusal_says_who_why_since_when_until_when_and_how_it_ends(world: World) -> None:
    ann, bob = world.agent("ann", name="Ann"), world.agent("bob")
    since = world.clock.now().iso
    paused = ann.workspace.pause(reason='The "main" branch\nis broken.', minutes=30)
    assert paused.pause == Pause("ann", "Ann", 'The "main" branch\nis broken.', since, "2026-01-01T00:30:00.000Z")
    problem = refused(lambda: bob.task.dispatch(title="one"))
    assert problem.message == (
        f"Ann (ann) paused this workspace at {since}: \"The 'main' branch is broken.\"."
        " It ends by itself at 2026-01-01T00:30:00.000Z."
    )
    assert "`workspace.resume`" in problem.hint
    assert problem.data["agentId"] == "ann"
    assert bob.workspace.status().paused == paused.pause
    assert problem.message in bob.workspace.overview().attention


def test_nothing_is_written_by_what_is_refused(world: World) -> None:
    ann = world.agent("ann")
    ann.workspace.pause()
    before = ann.event.list(newest=1).cursor
    for call in (
        lambda: ann.task.dispatch(title="one"),
        lambda: ann.claim.acquire(files=["a.py"]),
        lambda: ann.edit.check(files=["a.py"]),
    ):
        refused(call)
    assert ann.event.list(newest=1).cursor == before


def test_reading_talking_remembering_and_letting_go_stay_possible(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    task = ann.task.start(task_id=ann.task.dispatch(title="one").task.task_id).task.task_id
    other = ann.task.start(task_id=ann.task.dispatch(title="two").task.task_id).task.task_id
    ann.claim.acquire(files=["a.py", "b.py"])
    ann.workspace.pause(reason="look")
    bob.message.send(destination_agent_id="ann", content="what is it?")
    (delivery,) = ann.message.poll().deliveries
    ann.message.ack(delivery_id=delivery.delivery_id)
    ann.memory.set(key="k", value="v", scope="workspace")
    assert ann.task.get(task_id=task).task.status == "in-progress"
    assert len(ann.claim.renew().claims) == 2
    assert ann.claim.release(files=["a.py"]).released_files == ["a.py"]
    assert ann.task.release(task_id=task).task.status == "pending"
    assert ann.task.transition(task_id=other, action="release", reason="half done").changed
    assert ann.session.end().released_files == ("b.py",)


def test_who_begins_while_it_lasts_is_registered_without_a_task(world: World) -> None:
    world.agent("ann").workspace.pause()
    begun = world.agent("bob", start=False).session.begin(task_title="one")
    assert begun.task is None
    assert begun.task_problem is not None
    assert begun.task_problem.reason == "workspace.paused"


def test_it_ends_when_somebody_resumes_or_its_time_is_over(world: World) -> None:
    ann = world.agent("ann")
    ann.workspace.pause(minutes=1)
    world.clock.advance(59.999)
    refused(lambda: ann.task.dispatch(title="one"))
    world.clock.advance(0.001)
    ann.task.dispatch(title="one")
    assert not ann.workspace.resume().resumed
    ann.workspace.pause()
    world.clock.advance(1e6)
    refused(lambda: ann.task.dispatch(title="two"))
    assert ann.workspace.resume().resumed
    ann.task.dispatch(title="two")
    assert ann.workspace.status().paused is None


def test_a_second_pause_replaces_the_first(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    first = ann.workspace.pause(reason="one").pause
    second = bob.workspace.pause(reason="two")
    assert (second.replaced, second.pause.reason) == (first, "two")
    assert ann.workspace.resume().ended == second.pause


def test_pausing_and_resuming_are_events_and_wake_whoever_waits_for_work(world: World) -> None:
    ann = world.agent("ann")
    ann.workspace.pause(reason="look")
    ann.workspace.resume()
    ann.workspace.resume()
    told = ann.event.list(event_types=["workspace.*"]).events
    assert [event.event_type for event in told] == ["workspace.paused", "workspace.resumed"]
    assert told[1].metadata["paused_by"] == "ann"


def test_what_was_decided_before_the_pause_is_committed_before_it(world: World) -> None:
    """The check stands in the transaction of the change: no task is added after the event of the pause."""
    ann: Workspace = world.agent("ann")
    ann.task.dispatch(title="one")
    ann.workspace.pause()
    refused(lambda: ann.task.dispatch(title="two"))
    kinds = [event.event_type for event in ann.event.list(newest=2).events]
    assert kinds == ["task.dispatched", "workspace.paused"]


@pytest.mark.parametrize(
    ("line", "held"),
    [
        ("ls -l src", False),
        ("git status", False),
        ("comity resume", False),
        ("comity send 'it goes on' --to ann", False),
        ("/usr/local/bin/comity resume", False),
        ("make", True),
        ("echo x > a.py", True),
        ("git commit -am x", True),
        ("comity resume && make", True),
        ("comity resume; rm a.py", True),
        ("comity send $(rm a.py)", True),
        ("comity status > a.py", True),
        ("comityx", True),
    ],
)
def test_a_command_line_is_held_back_unless_it_only_reads_or_is_comitys_own(
    world: World, line: str, held: bool
) -> None:
    ann = world.agent("ann")
    ann.workspace.pause()
    if held:
        refused(lambda: ann.command.check(command=line))
    else:
        assert ann.command.check(command=line).allowed
