"""Catching up: what was said is told, and what was told is acknowledged, never sooner."""

from __future__ import annotations

import pytest

from comity import Workspace
from comity.kernel.problem import Conflict
from tests.worlds import fresh


def told(agent: Workspace, **arguments: int) -> tuple[list[str], list[str]]:
    """The channel's messages and the direct ones."""
    caught = agent.call("message.catch_up", arguments)
    return [one.content for one in caught.messages], [one.content for one in caught.direct]


def pending(agent: Workspace) -> int:
    return agent.agent.context().pending.total


def test_what_was_listed_is_acknowledged() -> None:
    with fresh() as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        for content in ("one", "two", "three"):
            ann.message.announce(content=content)
        caught = bob.message.catch_up(limit=2)
        assert [one.content for one in caught.messages] == ["one", "two"]
        assert pending(bob) == 1
        assert told(bob, since_seq=caught.cursor) == (["three"], [])
        assert pending(bob) == 0
        assert told(bob) == (["one", "two", "three"], [])


def test_what_is_passed_over_twice_does_not_fill_the_queue() -> None:
    with fresh() as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        ann.message.announce(content="stop, all", priority="interrupt")
        for number in range(5):
            ann.message.announce(content=f"news {number}")
        assert told(bob, newest=True, limit=2) == (["news 3", "news 4"], [])
        assert pending(bob) == 4
        ann.message.announce(content="news 5")
        assert told(bob, newest=True, limit=1) == (["news 5"], [])
        assert pending(bob) == 1  # what is urgent waits until it was listed
        assert told(bob, limit=1) == (["stop, all"], [])
        assert pending(bob) == 0


def test_a_direct_message_is_told_until_the_next_call() -> None:
    with fresh() as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        ann.message.send(destination_agent_id="bob", content="for you", priority="interrupt")
        assert told(bob) == ([], ["for you"])
        assert pending(bob) == 1
        ann.message.send(destination_agent_id="bob", content="and this")
        assert told(bob) == ([], ["and this"])
        assert told(bob) == ([], [])
        assert pending(bob) == 0


def test_a_mention_reaches_in_the_channel_and_outside() -> None:
    with fresh() as world:
        ann, bob = world.agent("ann"), world.agent("bob", channel="other")
        bob.channel.join(channel_id="other")
        ann.message.announce(content="look, @bob")
        channel, direct = told(bob)
        assert channel == []
        assert len(direct) == 1
        assert direct[0].endswith("look, @bob")


def test_only_who_is_here_catches_up() -> None:
    with fresh() as world:
        stranger = world.agent("bob", start=False)
        with pytest.raises(Conflict, match="not the active session"):
            stranger.message.catch_up()
        world.agent("ann").message.announce(content="hello")
        spectator = world.agent("", start=False, spectator=True)
        assert told(spectator) == (["hello"], [])
