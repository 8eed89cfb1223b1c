"""Scripts at a prompt have no process that stays: what a dead one held becomes free on a word, or in an hour."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Problem, Workspace
from comity.loops.reaper import Reaper
from comity.process import ThisProcess, absent
from comity.rooms.tasks.model import Task
from comity.testing import FakeMachine, World
from tests.wire_format import audit, check

DAY_S = 86_400


def taken(agent: Workspace, **more: Any) -> Task:
    """The next task."""
    task = agent.task.next(**more).task
    assert task is not None
    return task


def at_prompt(world: World, agent_id: str, **more: Any) -> Workspace:
    """As `comity --as AGENT_ID` works with it."""
    return world.agent(agent_id, observer=ThisProcess(absent("comity", "", "/repo", DAY_S)), **more)


@pytest.fixture
def person(world: World) -> Workspace:
    return at_prompt(world, "cli-me")


def stuck(world: World, person: Workspace) -> str:
    """A task that a script took a moment ago; the script is dead."""
    task: str = person.task.dispatch(title="Write the parser").task.task_id
    assert taken(at_prompt(world, "worker1")).task_id == task
    return task


@pytest.mark.parametrize("silent_s", [300, 7200, 30 * 3600, 10 * DAY_S])
def test_a_word_frees_what_a_dead_script_held(world: World, person: Workspace, silent_s: int) -> None:
    task = stuck(world, person)
    world.clock.advance(silent_s)
    (gone,) = person.agent.reap().agents
    assert (gone.agent_id, gone.returned_task_ids) == ("worker1", [task])
    assert gone.how == "not heard of since 2026-01-01T00:00:00.000Z, and given up"
    assert taken(person).task_id == task
    assert person.agent.reap().agents == [], "not the one that speaks"
    check(world.path)


def test_the_one_that_is_named_goes_at_once(world: World, person: Workspace) -> None:
    task = stuck(world, person)
    at_prompt(world, "worker2")
    assert person.agent.reap().agents == []
    (gone,) = person.agent.reap(agent_id="worker1").agents
    assert gone.returned_task_ids == [task]
    assert audit(world.path, "agent.reaped")[-1]["agent_id"] == "worker1"


def test_without_a_word_it_is_free_in_an_hour(world: World, person: Workspace) -> None:
    stuck(world, person)
    other = at_prompt(world, "worker2")
    world.clock.advance(3599)
    assert other.task.next().task is None
    world.clock.advance(1)
    handoff = taken(other).handoff
    assert handoff is not None
    assert handoff["summary"] == "The lease of worker1 ended at 2026-01-01T01:00:00.000Z."


def test_a_lease_that_is_asked_for_is_given_and_a_living_agent_needs_none(world: World, person: Workspace) -> None:
    person.task.dispatch(title="one")
    person.task.dispatch(title="two")
    assert taken(at_prompt(world, "worker1"), lease_s=7200).lease_expires_at == "2026-01-01T02:00:00.000Z"
    assert taken(world.agent("ann", observer=FakeMachine().start())).lease_expires_at is None


def test_what_loops_and_commands_do_by_themselves_believes_nobody(world: World, person: Workspace) -> None:
    stuck(world, person)
    world.clock.advance(7200)
    assert person.agent.reap(certain=True).agents == []
    Reaper(person).look()
    assert "worker1" in [one.agent_id for one in person.agent.list().agents]


def test_only_whoever_oversees_is_believed(world: World, person: Workspace) -> None:
    stuck(world, person)
    world.clock.advance(7200)
    guest = world.agent("guest", oversees=False)
    assert guest.agent.reap().agents == []
    with pytest.raises(Problem) as refused:
        guest.agent.reap(agent_id="worker1")
    assert refused.value.reason == "agent.alive"


def test_whoever_may_live_is_not_given_up_by_name(world: World, person: Workspace) -> None:
    machine, far = FakeMachine(), FakeMachine(namespace="pid:[2]")
    world.agent("ann", observer=machine.start())
    world.agent("bob", observer=far.start())
    world.agent("ted")
    reader = world.agent("cid", observer=machine.start())
    for agent_id, why in (("ann", "process 101 runs"), ("bob", "its lease runs"), ("ted", "it reports no process")):
        with pytest.raises(Problem) as refused:
            reader.agent.reap(agent_id=agent_id)
        assert refused.value.reason == "agent.alive"
        assert why in refused.value.message
    with pytest.raises(Problem) as refused:
        reader.agent.reap(agent_id="nobody")
    assert refused.value.reason == "agent.unknown"
    world.clock.advance(121)
    assert reader.agent.reap().agents == [], "its lapse is not certain"
    assert [one.agent_id for one in reader.agent.reap(agent_id="bob").agents] == ["bob"]


def test_a_script_that_was_given_up_too_early_comes_back(world: World, person: Workspace) -> None:
    task = stuck(world, person)
    person.agent.reap(agent_id="worker1")
    again = at_prompt(world, "worker1")
    assert again.task.claim(task_id=task).task.status == "accepted"
