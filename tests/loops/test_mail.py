"""The loop that looks after mail: in batches, until nothing is left; and it goes with its workspace."""

from __future__ import annotations

import threading
from pathlib import Path

import comity
from comity.loops.mail import Mail
from comity.testing import World
from tests.wire_format import rows


def test_a_look_goes_on_until_nothing_is_left(world: World) -> None:
    ann = world.agent("ann")
    world.agent("bob", max_pending_messages=1000)
    for number in range(450):
        urgency = {"priority": "steering"} if number % 2 else {}
        ann.call("message.send", {"destination_agent_id": "bob", "content": str(number), **urgency})
    world.clock.advance(3000)
    Mail(ann).look()
    renewed = "SELECT count(*) FROM messages WHERE ttl_seconds = 6600"
    assert rows(world.path, renewed) == [(225,)]
    world.clock.advance(700)
    Mail(ann).look()
    assert rows(world.path, "SELECT count(*) FROM messages WHERE state = 'expired'") == [(225,)]


def test_a_workspace_that_closes_takes_it_along(tmp_path: Path) -> None:
    with comity.open(tmp_path / "a.db", agent_id="ann"):
        assert any(thread.name == "comity-mail" for thread in threading.enumerate())
    assert not any(thread.name == "comity-mail" for thread in threading.enumerate())
