"""Joining and leaving channels (MACP v1.0 sections 2.3 and 2.4)."""

from __future__ import annotations

import pytest

from comity.kernel.problem import Conflict, NotFound
from comity.testing import World
from tests.wire_format import audit, dump, rows


def test_joining_makes_a_channel_and_names_the_others(world: World) -> None:
    ann, cid, bob = world.agent("ann"), world.agent("cid"), world.agent("bob")
    assert cid.channel.join(channel_id="side") == ("side", [])
    assert bob.channel.join(channel_id="side") == ("side", ["cid"])
    assert ann.channel.join(channel_id="side") == ("side", ["bob", "cid"])
    assert ann.channel.join() == ("main", ["bob", "cid"])


def test_joining_again_is_audited_and_changes_the_time_only(world: World) -> None:
    ann = world.agent("ann")
    world.clock.advance(1)
    ann.channel.join()
    assert rows(world.path, "SELECT joined_at FROM channel_members") == [(world.clock.now().iso,)]
    assert len(audit(world.path, "channel.join")) == 2
    assert len(dump(world.path)["channels"]) == 1


def test_a_closed_channel_stays_closed(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    rows(world.path, "UPDATE channels SET state = 'closed'")
    assert ann.channel.join().peer_agent_ids == ["bob"]
    assert rows(world.path, "SELECT state FROM channels") == [("closed",)]
    with pytest.raises(NotFound) as refused:
        bob.message.broadcast(content="x")
    assert refused.value.reason == "MACP_ERR_CHANNEL_NOT_FOUND"


def test_peers_are_those_with_an_active_session(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    bob.session.end()
    assert ann.channel.join().peer_agent_ids == []


def test_leaving(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    assert bob.channel.leave() == ("main", True)
    (row,) = audit(world.path, "channel.leave")
    assert tuple(row.values())[1:] == (
        *("channel.leave", None, None, "bob", "main", "MACP_OK"),
        *(world.clock.now().iso, "{}"),
    )
    before = dump(world.path)
    assert bob.channel.leave() == ("main", False)
    assert bob.channel.leave(channel_id="never heard of") == ("never heard of", False)
    assert ann.message.broadcast(content="x").recipient_agent_ids == []
    assert dump(world.path) == before


def test_an_ended_session_neither_joins_nor_leaves(world: World) -> None:
    ann = world.agent("ann")
    ann.session.end()
    before = dump(world.path)
    for call in (ann.channel.join, ann.channel.leave):
        with pytest.raises(Conflict) as refused:
            call(channel_id="main")
        assert refused.value.reason == "MACP_ERR_SESSION_UNKNOWN"
    assert dump(world.path) == before
