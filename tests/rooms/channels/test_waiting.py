"""Whoever sends learns who does not see it now, when that will be, what is sooner, and how long it waits."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Workspace
from comity.rooms.channels.model import Waiting
from comity.testing import FakeMachine, World
from tests.sim.turn_scenes import hooked

IN_AN_HOUR, IN_A_WEEK = "2026-01-01T01:10:00.000Z", "2026-01-08T00:10:00.000Z"
SINCE = "2026-01-01T00:00:00.000Z"


@pytest.fixture
def machine() -> FakeMachine:
    """Everybody's."""
    return FakeMachine()


@pytest.fixture
def ann(world: World, machine: FakeMachine) -> Workspace:
    return world.agent("ann", observer=machine.start())


@pytest.fixture
def idle(world: World, machine: FakeMachine) -> Workspace:
    """A session of a host whose turn ended ten minutes ago."""
    made = hooked(world, "bob", machine)
    made.turn.start()
    made.turn.stop(rests=True)
    world.clock.advance(600)
    return made


def waiting(ann: Workspace, **more: Any) -> tuple[Waiting, ...]:
    answer: tuple[Waiting, ...] = ann.message.send(destination_agent_id="bob", content="look", **more).waiting
    return answer


def test_an_idle_agent_is_told_as_such(ann: Workspace, idle: Workspace) -> None:
    (bob,) = waiting(ann, priority="steering")
    assert bob == Waiting("bob", "idle", SINCE, "its next prompt or tool", "its user", IN_A_WEEK)
    assert waiting(ann)[0].until == IN_AN_HOUR
    assert waiting(ann, priority="interrupt", ttl_seconds=3600)[0].until == IN_AN_HOUR


@pytest.mark.parametrize(
    ("priority", "woken_by"),
    [
        ("advisory", "a steering or interrupt message"),
        ("steering", "this message, unless its user lets interrupts alone wake it"),
        ("interrupt", "this message"),
    ],
)
def test_what_would_wake_it_is_told_where_somebody_waits_to_do_it(
    ann: Workspace, idle: Workspace, priority: str, woken_by: str
) -> None:
    idle.turn.watch(watcher="w")
    assert waiting(ann, priority=priority)[0].woken_by == woken_by


def test_whoever_works_is_no_news(ann: Workspace, idle: Workspace) -> None:
    idle.turn.next()
    assert waiting(ann) == ()


def test_a_channel_and_a_mention_tell_it_too(world: World, ann: Workspace, idle: Workspace) -> None:
    world.agent("cid")
    assert [one.agent_id for one in ann.message.broadcast(content="all").waiting] == ["bob"]
    said = ann.message.announce(content="@bob @cid look")
    assert [(one.agent_id, one.until) for one in said.waiting] == [("bob", IN_A_WEEK)], "once, as it was mentioned"


def test_an_agent_that_rests_by_its_own_word_sees_it_with_its_next_poll(world: World, ann: Workspace) -> None:
    world.agent("bob").agent.sleep()
    world.clock.advance(600)
    assert waiting(ann) == (Waiting("bob", "idle", SINCE, "its next poll", "its user", IN_AN_HOUR),)


def test_an_agent_that_is_not_heard_of_is_away(world: World, ann: Workspace) -> None:
    world.agent("bob", observer=FakeMachine(namespace="pid:[2]").start())
    world.clock.advance(60)
    assert waiting(ann) == ()
    world.clock.advance(540)
    (bob,) = waiting(ann, priority="steering")
    assert bob == Waiting("bob", "away", SINCE, "its next poll, once it is back", "", IN_A_WEEK)


def test_an_idle_agent_whose_process_has_ended_is_away(ann: Workspace, idle: Workspace, machine: FakeMachine) -> None:
    machine.processes.clear()
    assert waiting(ann)[0].state == "away"


def test_a_busy_process_that_is_seen_is_not_away(world: World, ann: Workspace, machine: FakeMachine) -> None:
    world.agent("bob", observer=machine.start())
    world.clock.advance(3600)
    assert waiting(ann) == ()
