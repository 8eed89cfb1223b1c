"""The agent list, the log, counts and forgetting (protocol reference sections 4.2, 2.11 and 10.5)."""

from __future__ import annotations

import pytest

from comity import Workspace
from comity.kernel.problem import Invalid
from comity.kernel.record import to_json
from comity.rooms.channels.model import Level
from comity.testing import World
from tests.rooms.channels.rows import put
from tests.wire_format import audit, check, dump, rows

DAY_S = 86_400


def test_the_agent_list(world: World) -> None:
    world.agent("ann", name="Ann", role="lead", interest_tags=("a",), max_pending_messages=5, max_context_bytes=99)
    world.agent("bob", channel="")
    world.agent("cid").session.end()
    ann, bob = world.agent("dan").agent.list().agents[:2]
    assert (ann.agent_id, ann.name, ann.role, ann.channels, ann.interest_tags) == (
        "ann",
        "Ann",
        "lead",
        ["main"],
        ["a"],
    )
    assert (ann.max_pending_messages, ann.max_context_bytes, ann.status) == (5, 99, "active")
    assert (bob.agent_id, bob.channels) == ("bob", [])
    assert "cid" not in [agent.agent_id for agent in world.agent("dan").agent.list().agents]


def test_the_agent_list_answers_the_protocols_keys(world: World) -> None:
    ann = world.agent("ann", session_id="ann-1", role="lead", max_context_bytes=99)
    bob = world.agent("bob", session_id="bob-1")
    ann.claim.acquire(files=["a.py", "b.py"])
    ann.claim.acquire(files=["c.py"], ttl_seconds=1)
    bob.message.send(destination_agent_id="ann", content="soon over", ttl_seconds=1)
    bob.message.send(destination_agent_id="ann", content="waits")
    world.clock.advance(5)
    columns = "capabilities_json = '{', interest_tags_json = '[1', queue_preferences_json = 'x'"
    rows(world.path, f"UPDATE sessions SET {columns} WHERE agent_id = 'bob'")
    whole, broken = to_json(bob.agent.list())["agents"]
    assert whole == {
        "agentId": "ann",
        "name": "ann",
        "sessionId": "ann-1",
        "registeredAt": whole["registeredAt"],
        "status": "active",
        "profileSlug": None,
        "channels": ["main"],
        "role": "lead",
        "interestTags": [],
        "maxPendingMessages": 200,
        "maxContextBytes": 99,
        "pendingDeliveries": 1,
        "activeClaims": 2,
    }
    assert broken.keys() == whole.keys() - {"role", "maxContextBytes"}
    assert (broken["interestTags"], broken["maxPendingMessages"]) == ([], 200)


def test_the_log_page_by_page(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    for number in range(5):
        ann.message.send(destination_agent_id="bob", content=str(number), priority=3 if number == 2 else 1)
    seen, cursor = [], ""
    while True:
        page = bob.event.list(after=cursor, limit=3)
        seen += [event.id for event in page.events]
        cursor = page.cursor
        if not page.events:
            break
    assert seen == [row["id"] for row in audit(world.path)]
    assert bob.event.list(after=cursor) == ([], cursor)
    ann.channel.leave()
    assert [event.event_type for event in bob.event.list(after=cursor).events] == ["channel.leave"]


def test_the_log_filtered(world: World) -> None:
    ann, bob = world.agent("ann", name="Ann"), world.agent("bob")
    ann.message.send(destination_agent_id="bob", content="urgent " * 100, priority="interrupt")
    ann.message.broadcast(content="calm")
    (event,) = bob.event.list(min_priority=3).events
    assert (event.event_type, event.priority, event.from_agent_id, event.from_name) == ("message.send", 3, "ann", "Ann")
    assert event.excerpt == ("urgent " * 100)[:200]
    assert [one.event_type for one in bob.event.list(channel_id="main", event_types=["message.send"]).events] == [
        "message.send"
    ]
    assert {one.agent_id for one in bob.event.list(agent_id="ann").events} == {"ann"}
    assert [one.excerpt for one in bob.event.list(newest=1).events] == ["calm"]
    assert bob.event.list(event_types=[]).events == []
    assert bob.event.list(agent_id="nobody").events == []


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "٣", "9" * 19, " 1"])
def test_a_cursor_that_is_none(world: World, cursor: str) -> None:
    with pytest.raises(Invalid) as refused:
        world.agent("ann").event.list(after=cursor)
    assert refused.value.reason == "cursor.unknown"


def test_counts(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    levels: tuple[Level, ...] = (0, 1, 1, 2, 3)
    for priority in levels:
        ann.message.send(destination_agent_id="bob", content="x", priority=priority)
    bob.message.ack(delivery_id=bob.message.poll(max_messages=1).deliveries[0].delivery_id)
    status = ann.workspace.status()
    assert status.pending == (4, 0, 1, 2, 1)
    assert status.deliveries == 5
    assert (status.agents, status.channels, status.events) == (2, 1, len(audit(world.path)))
    assert status.oldest_event == "2026-01-01T00:00:00.000Z"


def finished(world: World) -> None:
    """Old mail in every state, old events, an old claim, and mail of an agent that is gone."""
    ann, bob, gone = world.agent("ann"), world.agent("bob", max_pending_messages=3), world.agent("gone")
    for content in ("dropped", "a", "b", "c"):
        ann.message.send(destination_agent_id="bob", content=content, ttl_seconds=90 * DAY_S)
    bob.message.ack(delivery_id=bob.message.poll(max_messages=1).deliveries[0].delivery_id)
    put(world.path, state="expired", content="expired")
    ann.message.send(destination_agent_id="gone", content="abandoned", ttl_seconds=1)
    ann.message.send(destination_agent_id="ann", content="late but ann lives", ttl_seconds=1)
    gone.session.end()
    rows(
        world.path,
        "INSERT INTO macp_ext_file_claims (claim_id, file_path, agent_id, session_id, claimed_at, expires_at)"
        " VALUES ('c', 'f', 'ann', 'ann-session-1', '2026-01-01T00:00:00.000Z', '2026-01-01T00:30:00.000Z')",
    )
    world.clock.advance(60 * DAY_S)


def test_only_what_is_finished_and_old_is_forgotten(world: World) -> None:
    finished(world)
    ann = world.agent("ann", session_id="ann-session-1")
    before = dump(world.path)
    would = ann.workspace.prune(dry_run=True)
    assert dump(world.path) == before
    done = ann.workspace.prune()
    assert (would.messages, would.claims, would.expired) == (3, 1, 1)
    assert (done.claims, done.expired, done.more, done.dry_run) == (1, 1, False, False)
    left = {content for (content,) in rows(world.path, "SELECT content FROM messages WHERE type <> 'notice'")}
    assert {"b", "c", "late but ann lives"} <= left <= {"b", "c", "late but ann lives", "abandoned"}
    kept = audit(world.path)
    assert {row["timestamp"] for row in kept} == {world.clock.now().iso}
    expired = [row for row in kept if row["event_type"] == "message.expire"]
    assert [(row["agent_id"], row["reason_code"]) for row in expired] == [("gone", "MACP_ERR_TTL_EXPIRED")]
    told, counted = before["sequence_counters"], dump(world.path)["sequence_counters"]
    assert [one for one in counted if one[0] != "ann"] == [one for one in told if one[0] != "ann"]
    (news,) = [one for one in ann.message.poll().deliveries if one.type == "notice"]
    assert 'expired unread, to gone: "abandoned"' in news.content
    assert len(dump(world.path)["agents"]) == 3
    check(world.path)


def test_forgetting_in_small_steps(world: World) -> None:
    finished(world)
    ann = world.agent("ann", session_id="ann-session-1")
    steps = 0
    while ann.workspace.prune(limit=1).more:
        steps += 1
        assert steps < 100
    assert steps > 3
    assert rows(world.path, "SELECT count(*) FROM messages WHERE state = 'dropped'") == [(0,)]


def test_the_guide_speaks_of_this_agent(world: World) -> None:
    ann = world.agent("ann-{x}%s", name="Ann {0}", interest_tags=("a", "b"))
    text = ann.guide.show().instructions
    assert "ann-{x}%s" in text
    assert "Ann {0}" in text
    assert "a, b" in text


def test_direct_messages_between_others_are_not_shown_to_whoever_does_not_oversee(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    cid = world.agent("cid", max_pending_messages=1)
    ann.message.send(destination_agent_id="bob", content="between us")
    ann.message.broadcast(content="for all")
    bob.message.send(destination_agent_id="cid", content="makes room by dropping a broadcast", priority="steering")
    bob.message.send(destination_agent_id="cid", content="drops the direct one", priority="steering")
    by_hand = put(world.path, from_json="no JSON", content="from nobody")
    rows(
        world.path,
        "INSERT INTO audit_log (event_type, delivery_id, channel_id, timestamp) VALUES ('message.send', ?, 'main', '')",
        by_hand,
    )

    def seen(workspace: Workspace, *, oversees: bool) -> set[str]:
        reading = workspace.acting_as(workspace.actor._replace(oversees=oversees))
        events = reading.event.list(limit=1000, event_types=["message.send"]).events
        return {event.excerpt for event in events if event.excerpt}

    between, rest = {"between us"}, {"for all"}
    to_cid = {"makes room by dropping a broadcast", "drops the direct one"}
    assert seen(cid, oversees=False) == rest | to_cid
    assert seen(ann, oversees=False) == rest | between
    to_bob = {"from nobody"}
    assert seen(bob, oversees=False) == seen(bob, oversees=True) == rest | between | to_cid | to_bob
    stranger = world.agent("dan", start=False)
    assert seen(stranger, oversees=False) == rest
    assert seen(stranger, oversees=True) == rest | between | to_cid | to_bob

    def receipts(workspace: Workspace, *, oversees: bool) -> list[str]:
        reading = workspace.acting_as(workspace.actor._replace(oversees=oversees))
        return [message.excerpt for message in reading.receipt.list(sender_id="ann").messages]

    assert receipts(ann, oversees=False) == receipts(bob, oversees=False) == ["for all", "between us"]
    assert receipts(stranger, oversees=True) == ["for all", "between us"]
    assert receipts(cid, oversees=False) == receipts(stranger, oversees=False) == ["for all", ""]

    def dropped(*, oversees: bool) -> list[bool]:
        reading = stranger.acting_as(stranger.actor._replace(oversees=oversees))
        return [bool(event.metadata) for event in reading.event.list(event_types=["message.drop"]).events]

    assert dropped(oversees=True) == [True, True]
    assert dropped(oversees=False) == [True, False]
    rows(world.path, "DELETE FROM messages")
    assert dropped(oversees=False) == [True, False]
