"""An idle session is woken once, for messages that matter, by a word that says nothing of them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from comity import Workspace
from comity.rooms.turns.model import WAKE_LASTS_MS, WAKES_PER_HOUR
from comity.testing import World
from tests.sim.turn_scenes import hooked
from tests.wire_format import rows

SECRET = "the words of a peer"
WAITS = "from another agent waits in Comity. `message.poll` reads what is not shown here."


@pytest.fixture
def ann(world: World) -> Workspace:
    """A hook of ann's session, whose turn has ended; she is waited for by ``w``."""
    made = hooked(world, "ann")
    made.turn.start()
    made.turn.stop(rests=True)
    assert made.turn.watch(watcher="w").agent_id == "ann"
    return made


@pytest.fixture
def bob(world: World) -> Workspace:
    return world.agent("bob")


def tell(sender: Workspace, priority: Any = "steering", content: str = SECRET, **more: Any) -> str:
    return sender.message.send(destination_agent_id="ann", content=content, priority=priority, **more).delivery_ids[0]


def woken(ann: Workspace, **asked: Any) -> str:
    return ann.turn.wake(**asked).text


def test_an_idle_agent_is_woken_once_for_many_messages(world: World, ann: Workspace, bob: Workspace) -> None:
    assert ann.turn.wake(watcher="w") == ("", True, False)
    told = [tell(bob, content=f"{SECRET} {number}") for number in range(9)] + [tell(bob, "interrupt")]
    text = woken(ann, watcher="w")
    assert text.startswith("10 messages from other agents wait in Comity, 1 of priority interrupt.")
    assert SECRET not in text
    assert woken(ann, watcher="w") == "", "one wake is under way"
    tell(bob, content="one more")
    assert woken(ann, watcher="w") == "", "also for what comes meanwhile"
    ((metadata,),) = rows(world.path, "SELECT metadata_json FROM audit_log WHERE event_type = 'session.woken'")
    assert all(delivery in metadata for delivery in told)
    assert SECRET not in metadata


def test_the_prompt_that_follows_brings_the_words_once_and_ends_the_rest(ann: Workspace, bob: Workspace) -> None:
    tell(bob)
    assert woken(ann).endswith(WAITS)
    said = ann.turn.next()
    assert SECRET in said.text
    ann.turn.written(injection_id=said.injection_id)
    assert ann.turn.next().text == ""
    assert ann.turn.wake(watcher="w") == ("", False, False), "it is at work"
    ann.turn.stop(rests=True)
    assert woken(ann) == "", "nothing is new"
    tell(bob)
    assert woken(ann).endswith(WAITS)


def test_no_message_wakes_twice_even_when_it_was_not_read(ann: Workspace, bob: Workspace) -> None:
    tell(bob)
    assert woken(ann)
    ann.turn.stop(rests=True)  # a turn of which no hook told, and nobody polled
    assert woken(ann) == ""
    tell(bob)
    assert woken(ann).startswith("1 message")


@pytest.mark.parametrize(
    ("least", "priority", "wakes"),
    [("steering", "advisory", False), ("interrupt", "steering", False), ("interrupt", "interrupt", True)],
)
def test_what_is_less_urgent_wakes_nobody(
    ann: Workspace, bob: Workspace, least: str, priority: str, wakes: bool
) -> None:
    tell(bob, priority)
    assert bool(woken(ann, least=least)) is wakes


def test_what_was_polled_injected_or_has_expired_wakes_nobody(world: World, ann: Workspace, bob: Workspace) -> None:
    tell(bob)
    server = world.agent("ann", session_id="server")
    server.message.poll()
    assert woken(ann) == ""
    tell(bob, content="gone soon", ttl_seconds=1)
    world.clock.advance(3)
    assert woken(ann) == ""


def test_there_are_only_so_many_wakes_in_an_hour(world: World, ann: Workspace, bob: Workspace) -> None:
    def round_trip() -> bool:
        world.clock.advance(1)
        tell(bob)
        text = woken(ann)
        ann.turn.next()
        ann.turn.stop(rests=True)
        return bool(text)

    assert [round_trip() for _ in range(WAKES_PER_HOUR + 2)] == [True] * WAKES_PER_HOUR + [False, False]
    world.clock.advance(3600)
    assert round_trip()


def test_a_wake_that_set_nothing_going_stands_in_the_way_for_a_while_only(
    world: World, ann: Workspace, bob: Workspace
) -> None:
    tell(bob)
    assert woken(ann)
    tell(bob)
    assert woken(ann) == ""
    world.clock.advance(WAKE_LASTS_MS / 1000)
    assert woken(ann).startswith("1 message")


def test_whoever_waits_later_waits_alone_and_nobody_waits_for_what_is_over(
    world: World, ann: Workspace, bob: Workspace
) -> None:
    tell(bob)
    assert ann.turn.watch(watcher="w2").agent_id == "ann"
    assert ann.turn.wake(watcher="w").over
    assert woken(ann, watcher="w2")
    ann.session.leave(reason="exit")
    assert ann.turn.wake(watcher="w2").over
    assert ann.turn.watch(watcher="w3").agent_id == ""
    assert rows(world.path, "SELECT ended FROM comity_host_sessions") == [("exit",)], "waiting brings nothing back"


def test_a_subagent_at_work_leaves_its_parent_idle(ann: Workspace, bob: Workspace) -> None:
    assert ann.actor.host is not None
    below = ann.acting_as(ann.actor._replace(host=ann.actor.host._replace(subagent_id="explorer")))
    below.turn.start()
    below.turn.next()
    assert below.turn.wake().over
    tell(bob)
    assert woken(ann)


def test_an_interrupt_that_keeps_it_going_is_no_rest(world: World, bob: Workspace) -> None:
    ann = hooked(world, "ann")
    ann.turn.start()
    tell(bob, "interrupt")
    assert ann.turn.stop(rests=True).text
    tell(bob)
    assert ann.turn.wake() == ("", False, False)


def test_two_that_wait_at_once_wake_it_once(tmp_path: Path) -> None:
    with World(tmp_path / "two.db") as world:
        ann, bob = hooked(world, "ann"), world.agent("bob")
        ann.turn.start()
        for _ in range(WAKES_PER_HOUR):
            ann.turn.stop(rests=True)
            tell(bob)
            barrier, texts = threading.Barrier(4), list[str]()

            def ask(barrier: threading.Barrier = barrier, texts: list[str] = texts) -> None:
                barrier.wait()
                texts.append(woken(ann))

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert sum(map(bool, texts)) == 1
            ann.turn.next()
