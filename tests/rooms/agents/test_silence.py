"""A subagent whose end was never told keeps nobody of its family out once it is silent and its parent goes on."""

from __future__ import annotations

import pytest

from comity import Workspace
from comity.kernel.scope import HostSession
from comity.testing import FakeMachine, World


class Family:
    """A session, its subagents, and a peer."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.machine = FakeMachine()
        self.peer = world.agent("peer")
        self.parent = self.hook()
        self.parent.turn.start()
        self.child = self.hook("child")
        assert self.child.edit.check(files=["a"]).allowed

    def hook(self, sub: str = "") -> Workspace:
        process = self.machine.start()
        process.presence = process.presence._replace(pid=None, started="", lease_ms=3_600_000)
        told = HostSession("codex", "s1", sub, 7, "tick-7")
        return self.world.agent("s1", start=False, observer=process, host=told, session_id="codex:s1", name="codex-s1")


@pytest.fixture
def family(world: World) -> Family:
    return Family(world)


def test_a_subagent_that_is_at_work_keeps_its_parent_out(family: Family) -> None:
    assert not family.parent.edit.check(files=["a"]).allowed
    family.parent.turn.next(moved=True)
    family.parent.turn.stop()
    assert not family.parent.edit.check(files=["a"]).allowed
    assert not family.hook("other").edit.check(files=["a"]).allowed


def test_the_users_next_word_makes_it_silent(family: Family) -> None:
    family.parent.turn.next(prompted=True)
    assert family.parent.edit.check(files=["a"]).allowed
    assert not family.peer.edit.check(files=["a"]).allowed
    claimed = family.parent.claim.acquire(files=["a"])
    assert [one.file_path for one in claimed.claims] == ["a"]
    assert family.hook("other").edit.check(files=["a"]).allowed


@pytest.mark.parametrize("source", ["clear", "compact", "resume"])
def test_so_does_a_context_that_begins_anew(family: Family, source: str) -> None:
    family.parent.call("turn.start", {"source": source})
    assert family.parent.edit.check(files=["a"]).allowed


def test_one_that_goes_on_is_heard_again(family: Family) -> None:
    family.parent.turn.next(prompted=True)
    family.child.turn.next()
    assert not family.parent.edit.check(files=["a"]).allowed
    assert family.child.edit.check(files=["a"]).allowed


def test_long_silence_is_enough_for_its_parent(family: Family) -> None:
    """It was ended by a tool of its parent, whose turn goes on."""
    other = family.hook("other")
    other.session.identify()
    family.world.clock.advance(100)
    assert not family.parent.edit.check(files=["a"]).allowed
    family.child.turn.next()
    family.world.clock.advance(100)
    assert not family.parent.edit.check(files=["a"]).allowed, "it was heard of in between"
    family.world.clock.advance(30)
    assert not other.edit.check(files=["a"]).allowed
    assert not family.peer.edit.check(files=["a"]).allowed
    assert family.parent.edit.check(files=["a"]).allowed


def test_a_subagents_own_word_silences_nobody(family: Family) -> None:
    other = family.hook("other")
    other.turn.next(prompted=True)
    other.turn.start(source="startup")
    assert not other.edit.check(files=["a"]).allowed
    assert not family.parent.edit.check(files=["a"]).allowed
