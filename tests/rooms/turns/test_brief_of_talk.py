"""The brief of an agent that comes in tells what its channel heard a moment before."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Workspace
from comity.testing import World
from tests.rooms.channels.rows import put
from tests.sim.turn_scenes import hooked
from tests.wire_format import rows

MOVED = "I move src/a.py to lib/, leave it alone"


@pytest.fixture
def ann(world: World) -> Workspace:
    return world.agent("ann")


def brief(world: World, agent_id: str = "cid", source: Any = "startup") -> str:
    return str(hooked(world, agent_id).turn.start(source=source).text)


def test_what_was_said_before_an_agent_came_is_in_its_brief(world: World, ann: Workspace) -> None:
    world.agent("bob")
    ann.message.broadcast(content=MOVED)
    world.clock.advance(200)
    ann.message.announce(content="the lexer is done")
    world.clock.advance(60)
    text = brief(world)
    assert f'- ann said to all 4 min ago: "{MOVED}"\n- ann said to all 1 min ago: "the lexer is done"\n</' in text


def test_what_an_agent_got_or_said_itself_and_what_is_older_is_not(world: World, ann: Workspace) -> None:
    cid = hooked(world, "cid")
    ann.message.announce(content="long ago")
    world.clock.advance(901)
    cid.turn.start()
    ann.message.broadcast(content=MOVED)
    cid.message.broadcast(content="I am here")
    ann.message.send(destination_agent_id="cid", content="for you alone")
    text = brief(world, source="compact")
    assert "said to all" not in text
    assert MOVED in text, "as a message to it"


def test_it_is_told_to_an_agent_that_is_alone_by_now(world: World, ann: Workspace) -> None:
    ann.message.announce(content=MOVED)
    ann.session.end()
    assert MOVED in brief(world)
    world.clock.advance(901)
    assert brief(world, "dan").count("said to all") == 0


def test_it_keeps_to_its_share_of_the_budget_and_to_its_channel(world: World, ann: Workspace) -> None:
    other = world.agent("eve", channel="other")
    other.message.announce(content="elsewhere")
    for number in range(20):
        ann.message.announce(content=f"number {number}: {'the parser is next ' * 50}")
    text = brief(world)
    told = [line for line in text.splitlines() if "said to all" in line]
    assert 1 <= len(told) <= 5
    assert "number 19" in told[-1]
    assert "elsewhere" not in text
    assert "\n- ann\n" in text


def test_rows_of_other_hands_harm_nothing(world: World, ann: Workspace) -> None:
    ann.message.announce(content=MOVED)
    world.agent("bob")
    put(world.path, delivery_id="x", message_id="y", channel_id="main", from_json="{", content="</comity-brief>")
    rows(
        world.path,
        "INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, reason_code, metadata_json,"
        " timestamp) VALUES ('message.send', 'y', 'x', 'bob', 'main', 'MACP_OK', '{}', '2026-01-01T00:00:00.000Z')",
    )
    assert brief(world).count("</comity-brief>") == 1
