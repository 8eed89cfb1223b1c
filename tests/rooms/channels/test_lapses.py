"""Mail for somebody who is away: what is urgent waits, whoever looks after it; what is lost is told to its sender."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Workspace
from comity.loops.mail import Mail
from comity.testing import World
from tests.original import Original
from tests.rooms.channels.rows import put
from tests.sim.turn_scenes import hooked
from tests.wire_format import audit, check, rows

HOUR_S, DAY_S = 3600, 86_400


@pytest.fixture
def ann(world: World) -> Workspace:
    return world.agent("ann")


@pytest.fixture
def bob(world: World) -> Workspace:
    return world.agent("bob")


def tell(sender: Workspace, content: str = "do not run the old migration", **more: Any) -> str:
    sent = sender.message.send(destination_agent_id="bob", content=content, **{"priority": "steering", **more})
    return str(sent.delivery_ids[0])


def told(agent: Workspace) -> list[str]:
    """What waits for an agent."""
    return [one.content for one in agent.message.poll(max_messages=100).deliveries]


def ttl(world: World, delivery_id: str) -> int:
    return int(rows(world.path, "SELECT ttl_seconds FROM messages WHERE delivery_id = ?", delivery_id)[0][0])


def pass_hours(world: World, hours: float, loop: Mail) -> None:
    """Time passes, and a living process looks every quarter of an hour."""
    for _ in range(round(hours * 4)):
        world.clock.advance(900)
        assert loop.once()


@pytest.mark.parametrize("priority", ["steering", "interrupt"])
@pytest.mark.parametrize("away_s", [2 * HOUR_S, 14 * HOUR_S, 7 * DAY_S])
def test_what_is_urgent_is_there_when_its_recipient_comes_back(
    world: World, ann: Workspace, bob: Workspace, priority: str, away_s: int
) -> None:
    delivery_id = tell(ann, priority=priority)
    assert ttl(world, delivery_id) == HOUR_S, "the row has the protocol's default"
    world.clock.advance(away_s)
    assert ann.receipt.list().messages[0].receipts[0].state == "queued"
    assert bob.agent.context().pending.total == 1
    (late,) = bob.message.poll().deliveries
    assert (late.content, late.late) == ("do not run the old migration", True)
    assert audit(world.path, "message.expire") == []
    assert bob.message.ack(delivery_id=delivery_id).state == "acknowledged"
    check(world.path)


def test_a_hook_tells_it_as_late_with_the_time_at_which_it_was_sent(world: World, ann: Workspace) -> None:
    away = hooked(world, "bob")
    away.turn.start()
    away.turn.stop(rests=True)
    tell(ann)
    world.clock.advance(14 * HOUR_S)
    text = away.turn.next().text
    assert '- [steering, late: of 2026-01-01T00:00] ann: "do not run the old migration"' in text


@pytest.mark.parametrize(
    "message",
    [
        *({"priority": "advisory"}, {"priority": "info"}, {"ttl_seconds": 60}, {"ttl_seconds": HOUR_S}),
        {"priority": "interrupt", "ttl_seconds": 7200},
    ],
)
def test_what_is_not_urgent_and_a_time_that_the_sender_gave_are_kept(
    world: World, ann: Workspace, bob: Workspace, message: dict[str, Any]
) -> None:
    delivery_id = tell(ann, **message)
    pass_hours(world, 3, Mail(ann))
    assert told(bob) == []
    (gone,) = audit(world.path, "message.expire")
    assert (gone["delivery_id"], gone["agent_id"], gone["reason_code"]) == (delivery_id, "bob", "MACP_ERR_TTL_EXPIRED")


def test_the_wait_has_an_end(world: World, ann: Workspace, bob: Workspace) -> None:
    tell(ann)
    world.clock.advance(7 * DAY_S + 1)
    assert ann.receipt.list().messages[0].receipts[0].state == "expired"
    assert told(bob) == []
    assert len(audit(world.path, "message.expire")) == 1
    brief = world.agent("cid", mail_days=0)
    ann.message.send(destination_agent_id="cid", content="x", priority="interrupt")
    world.clock.advance(HOUR_S + 1)
    assert told(brief) == []


def test_what_was_read_waits_no_longer(world: World, ann: Workspace, bob: Workspace) -> None:
    tell(ann)
    assert told(bob) == ["do not run the old migration"]
    world.clock.advance(2 * HOUR_S)
    assert told(bob) == []
    assert told(ann) == [], "its sender has nothing to be told: it was read"


def test_what_stood_in_a_context_that_never_answered_is_given_again(world: World, ann: Workspace) -> None:
    away = hooked(world, "bob")
    away.turn.start()
    tell(ann)
    away.turn.written(injection_id=away.turn.next().injection_id)
    world.clock.advance(14 * HOUR_S)
    assert "do not run the old migration" in away.turn.start(source="resume").text


def test_a_living_process_extends_it_hour_by_hour_for_whoever_reads_the_file(
    world: World, ann: Workspace, bob: Workspace
) -> None:
    delivery_id = tell(ann)
    peer = Original(world.path, "bob", "bob-session-1", world.clock)
    loop = Mail(ann)
    for _ in range(20):
        pass_hours(world, 1, loop)
        left_s = ttl(world, delivery_id) - (world.clock.ms - 1_767_225_600_000) // 1000
        assert 0 < left_s <= HOUR_S + 1200
    assert [one["id"] for one in peer.poll()[0]] == [delivery_id]
    assert bob.message.poll().deliveries[0].late
    peer.close()


def test_a_living_process_ends_it_and_tells_its_sender(world: World, ann: Workspace, bob: Workspace) -> None:
    delivery_id = tell(ann)
    pass_hours(world, 7 * 24 + 1, Mail(bob))
    assert rows(world.path, "SELECT state FROM messages WHERE delivery_id = ?", delivery_id) == [("expired",)]
    (notice,) = ann.message.poll().deliveries
    assert (notice.from_.agent_id, notice.type) == ("comity", "notice")
    text = 'A message of yours expired unread, to bob: "do not run the old migration". Say again what still holds.'
    assert notice.content == text


def test_a_look_that_finds_nothing_writes_nothing(world: World, ann: Workspace, bob: Workspace) -> None:
    tell(ann)
    tell(ann, "for an hour", priority="advisory")
    before = rows(world.path, "PRAGMA data_version"), rows(world.path, "SELECT count(*) FROM audit_log")
    world.clock.advance(1800)
    assert bob.message.tend() == (0, 0, False)
    assert (rows(world.path, "PRAGMA data_version"), rows(world.path, "SELECT count(*) FROM audit_log")) == before


def test_every_loss_is_told_once_and_all_of_a_moment_in_one_word(world: World, ann: Workspace, bob: Workspace) -> None:
    cid = world.agent("cid")
    ann.message.broadcast(content="to both", ttl_seconds=60)
    for number in range(8):
        tell(ann, f"number {number}", ttl_seconds=60)
    world.agent("dan").message.send(destination_agent_id="bob", content="of another", ttl_seconds=60)
    world.clock.advance(61)
    assert cid.message.tend().expired == 11
    assert bob.message.poll() == ([], [], [], ())
    (notice,) = [one for one in ann.message.poll().deliveries if one.type == "notice"]
    assert notice.content.startswith('9 messages of yours expired unread, to bob, cid: "to both"; to bob: "number 0"; ')
    assert "; and 4 more (`receipt.list`)." in notice.content
    world.clock.advance(2 * DAY_S)
    assert cid.message.tend().expired == 1, "what dan was told of it and did not read"
    assert told(ann) == []


def test_a_poll_that_lets_mail_expire_tells_its_sender_too(world: World, ann: Workspace, bob: Workspace) -> None:
    delivery_id = tell(ann, ttl_seconds=60)
    world.clock.advance(62)
    assert bob.message.poll().expired_delivery_ids == [delivery_id]
    assert [text.partition(":")[0] for text in told(ann)] == ["A message of yours expired unread, to bob"]
    assert bob.message.poll().expired_delivery_ids == []


def test_the_mail_of_whoever_has_left_is_told_as_well(world: World, ann: Workspace, bob: Workspace) -> None:
    tell(ann, "read and left", ttl_seconds=60)
    bob.message.poll()
    tell(ann, ttl_seconds=60)
    bob.session.end()
    world.clock.advance(62)
    assert ann.message.tend() == (0, 2, False)
    assert len(told(ann)) == 1


def test_mail_of_other_hands_hinders_nobody(world: World, ann: Workspace, bob: Workspace) -> None:
    put(world.path, priority=3, context_json="no JSON", timestamp=world.clock.now().iso)
    put(world.path, delivery_id="x", priority=3, from_json="{", timestamp="now")
    world.clock.advance(2 * HOUR_S)
    ann.message.tend()
    assert bob.message.poll().deliveries == []
    put(world.path, delivery_id="y", priority=2, timestamp=world.clock.now().iso)
    world.clock.advance(2 * HOUR_S)
    assert [(one.content, one.late) for one in bob.message.poll().deliveries] == [("by hand", True)]
