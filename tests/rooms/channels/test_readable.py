"""Who may read a channel: one rule for its history, events and receipts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity import Problem, Workspace
from comity.testing import World


@pytest.fixture
def town() -> Iterator[World]:
    with World() as world:
        yield world


def excerpts(reader: Workspace) -> set[str]:
    """What the log shows of messages."""
    return {one.excerpt for one in reader.event.list(event_types=["message.send"]).events if one.excerpt}


def history(reader: Workspace, channel: str) -> list[str]:
    """What was said in a channel, or why it is not told."""
    try:
        return [one.content for one in reader.message.history(channel_id=channel).messages]
    except Problem as problem:
        return [problem.reason]


def receipts(reader: Workspace) -> set[str]:
    """How ann's messages begin, for whoever asks what became of them."""
    return {one.excerpt for one in reader.receipt.list(sender_id="ann").messages if one.excerpt}


def test_the_default_channel_is_for_all_another_for_its_members_and_whoever_oversees(town: World) -> None:
    ann, bob, cid = (town.agent(name, oversees=False) for name in ("ann", "bob", "cid"))
    for member in (ann, bob):
        member.channel.join(channel_id="closed")
    ann.message.broadcast(content="for all")
    ann.message.broadcast(content="for members", channel_id="closed")
    nobody = town.agent("", start=False, spectator=True, oversees=False)
    boss = town.agent("boss")
    some, whole = {"for all"}, {"for all", "for members"}
    for reader, seen in ((ann, whole), (bob, whole), (cid, some), (nobody, some), (boss, whole)):
        assert excerpts(reader) == seen
        assert receipts(reader) == seen
        assert history(reader, "main") == ["for all"]
        told = ["for members"] if seen == whole else ["MACP_ERR_SENDER_NOT_MEMBER"]
        assert history(reader, "closed") == told


def test_what_was_sent_to_somebody_stays_theirs_when_they_leave_the_channel(town: World) -> None:
    ann, bob = (town.agent(name, oversees=False) for name in ("ann", "bob"))
    for member in (ann, bob):
        member.channel.join(channel_id="closed")
    ann.message.broadcast(content="early", channel_id="closed")
    bob.channel.leave(channel_id="closed")
    cid = town.agent("cid", oversees=False)
    cid.channel.join(channel_id="closed")
    ann.message.broadcast(content="late", channel_id="closed")
    assert excerpts(bob) == {"early"}
    assert history(bob, "closed") == ["MACP_ERR_SENDER_NOT_MEMBER"]
    assert excerpts(cid) == {"early", "late"}, "whoever is in it may read what was said before"


def test_a_channel_without_a_name_is_nobodys(town: World) -> None:
    reader = town.agent("ann", oversees=False, channel="")
    assert history(reader, "") in (["channel.missing"], ["argument.invalid"])
    assert history(reader, "main") == ["MACP_ERR_SENDER_NOT_MEMBER"]
