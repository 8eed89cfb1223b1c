"""Polling, deadlines and acknowledging (MACP v1.0 sections 1.7, 2.7 and 2.9)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comity.kernel.problem import Invalid, NotFound
from comity.kernel.record import to_json
from comity.testing import World
from tests.rooms.channels.rows import put
from tests.wire_format import audit, dump, rows


def test_a_delivery_as_json(world: World) -> None:
    ann, bob = world.agent("ann", name="Ann"), world.agent("bob")
    sent = ann.message.send(destination_agent_id="bob", content="hello", relevance_tags=["t"], confidence=0.5)
    polled = to_json(bob.message.poll())
    assert json.loads(json.dumps(polled)) == {
        "deliveries": [
            {
                "deliveryId": sent.delivery_ids[0],
                "messageId": sent.message_id,
                "channelId": None,
                "from": {"agentId": "ann", "sessionId": "ann-session-1", "name": "Ann"},
                "destinationType": "agent",
                "to": "bob",
                "contentType": "text/plain",
                "priority": 1,
                "type": "discovery",
                "content": "hello",
                "sequenceNumber": 1,
                "context": {
                    "relevanceTags": ["t"],
                    "confidence": 0.5,
                    "sourceReferences": [],
                    "payloadByteSize": 5,
                },
                "ack": {"requestLevel": "received"},
                "timestamp": "2026-01-01T00:00:00.000Z",
                "ttlSeconds": 3600,
                "state": "queued",
                "destinationAgentId": "bob",
            }
        ],
        "expiredDeliveryIds": [],
        "prunedDeliveryIds": [],
    }
    assert list(polled["deliveries"][0])[:4] == ["deliveryId", "messageId", "channelId", "from"]


def test_most_urgent_first_then_oldest(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    for content, priority in (("a", 1), ("b", 3), ("c", 0), ("d", 1), ("e", 3), ("f", 2)):
        ann.message.send(destination_agent_id="bob", content=content, priority=priority)  # type: ignore[arg-type]
    unpruned = bob.message.poll(apply_budget_pruning=False)
    assert "".join(one.content for one in unpruned.deliveries) == "befadc"
    assert "".join(one.content for one in bob.message.poll(min_priority=2).deliveries) == "bef"
    assert "".join(one.content for one in bob.message.poll(max_messages=2).deliveries) == "be"


def test_only_what_is_handed_out_is_surfaced(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    for _ in range(3):
        ann.message.send(destination_agent_id="bob", content="x")
    world.clock.advance(1)
    bob.message.poll(max_messages=2)
    states = rows(world.path, "SELECT state FROM messages ORDER BY sequence_number")
    assert states == [("surfaced",), ("surfaced",), ("queued",)]
    received = rows(world.path, "SELECT timestamp FROM ack_states WHERE ack_level = 'received'")
    assert received == [(world.clock.now().iso,)] * 2
    world.clock.advance(1)
    before = dump(world.path)
    bob.message.poll(max_messages=2)  # the same again: nothing new to write
    assert dump(world.path) == before


@pytest.mark.parametrize(
    ("sent_ms", "now_ms", "live"),
    [(0, 5_999, True), (0, 6_000, False), (999, 5_999, True), (999, 6_000, False), (999, 6_500, False)],
)
def test_deadlines_are_whole_seconds(world: World, sent_ms: int, now_ms: int, live: bool) -> None:
    """A delivery lives through the whole second in which its time ends, wherever in a second it was sent."""
    ann, bob = world.agent("ann"), world.agent("bob")
    world.clock.advance(sent_ms / 1000)
    (delivery_id,) = ann.message.send(destination_agent_id="bob", content="x", ttl_seconds=5).delivery_ids
    world.clock.advance((now_ms - sent_ms) / 1000)
    polled = bob.message.poll()
    assert [one.delivery_id for one in polled.deliveries] == ([delivery_id] if live else [])
    assert polled.expired_delivery_ids == ([] if live else [delivery_id])


@pytest.mark.parametrize("now_ms", [4_999, 5_000, 5_999, 6_000])
def test_the_agent_list_counts_a_second_less_than_poll(world: World, now_ms: int) -> None:
    ann, _ = world.agent("ann"), world.agent("bob")
    ann.message.send(destination_agent_id="bob", content="x", ttl_seconds=5)
    world.clock.advance(now_ms / 1000)
    counted = {agent.agent_id: agent.pending_deliveries for agent in ann.agent.list().agents}["bob"]
    assert counted == (1 if now_ms < 5_000 else 0)
    assert ann.workspace.status().pending.total == counted


def test_mail_from_the_future_is_fresh(world: World) -> None:
    bob = world.agent("bob")
    put(world.path, timestamp="2026-06-01T00:00:00.000Z")
    assert len(bob.message.poll().deliveries) == 1


def test_a_late_acknowledgement_counts_until_a_poll_expired_it(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    one, two = (ann.message.send(destination_agent_id="bob", content="x", ttl_seconds=1) for _ in range(2))
    world.clock.advance(60)
    assert bob.message.ack(delivery_id=one.delivery_ids[0]).state == "acknowledged"
    levels = rows(world.path, "SELECT ack_level FROM ack_states WHERE delivery_id = ?", one.delivery_ids[0])
    assert sorted(levels) == [("processed",), ("queued",)]  # it was never handed out
    assert bob.message.poll().expired_delivery_ids == two.delivery_ids


def test_an_acknowledgement_is_audited_once(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    sent = ann.message.broadcast(content="x")
    bob.message.ack(delivery_id=sent.delivery_ids[0])
    bob.message.ack(delivery_id=sent.delivery_ids[0])
    (event,) = audit(world.path, "message.ack")
    assert tuple(event.values())[1:] == (
        *("message.ack", sent.message_id, sent.delivery_ids[0], "bob", "main", "MACP_OK"),
        *(world.clock.now().iso, "{}"),
    )


def test_one_polls_acks_and_reads_only_ones_own(world: World) -> None:
    ann, bob, eve = world.agent("ann"), world.agent("bob"), world.agent("eve")
    (delivery_id,) = ann.message.send(destination_agent_id="bob", content="secret").delivery_ids
    before = dump(world.path)
    assert eve.message.poll().deliveries == []
    for call in (eve.message.ack, eve.message.read, ann.message.ack, ann.message.read):
        with pytest.raises(NotFound) as refused:
            call(delivery_id=delivery_id)
        assert refused.value.reason == "MACP_ERR_DELIVERY_NOT_FOUND"
        assert refused.value.data == {"deliveryId": delivery_id}
    assert dump(world.path) == before
    assert bob.message.read(delivery_id=delivery_id).content == "secret"


def test_a_message_id_is_no_delivery_id(world: World) -> None:
    ann = world.agent("ann")
    sent = ann.message.send(destination_agent_id="ann", content="x")
    with pytest.raises(NotFound):
        ann.message.ack(delivery_id=sent.message_id)


def test_expired_rows_of_an_agent_that_never_polls_stay_out_of_the_way(world: World) -> None:
    ann, _ = world.agent("ann"), world.agent("bob", max_pending_messages=3)
    for _ in range(50):
        for _ in range(3):
            ann.message.send(destination_agent_id="bob", content="x", ttl_seconds=1)
        world.clock.advance(5)
    assert audit(world.path, "message.drop") == []
    assert rows(world.path, "SELECT count(*) FROM messages WHERE state = 'queued'") == [(150,)]


def test_long_content_is_read_in_pieces_of_characters(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    content = "".join(chr(0x20 + number % 0x3000) for number in range(10_000)).replace("\x7f", "😀")
    (delivery_id,) = ann.message.send(destination_agent_id="bob", content=content).delivery_ids
    pieces, offset = [], 0
    while True:
        piece = bob.message.read(delivery_id=delivery_id, offset=offset, length=777)
        assert (piece.offset, piece.total_characters) == (offset, len(content))
        assert (piece.full_size_bytes, piece.state) == (len(content.encode()), "queued")
        pieces.append(piece.content)
        if piece.next_offset is None:
            break
        offset = piece.next_offset
    assert "".join(pieces) == content
    beyond = bob.message.read(delivery_id=delivery_id, offset=20_000)
    assert (beyond.content, beyond.next_offset) == ("", None)


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_messages": 0},
        {"max_messages": 1001},
        {"max_messages": "10"},
        {"max_messages": 2.5},
        {"min_priority": 4},
        {"min_priority": "steering"},
        {"budget_bytes": 0},
        {"budget_bytes": 10**12},
        {"apply_budget_pruning": "yes"},
        {"apply_budget_pruning": 1},
        {"wait_ms": -1},
        {"wait_ms": 60_001},
        {"wait_ms": True},
        {"min_Priority": 1},
    ],
    ids=str,
)
def test_bad_arguments_change_nothing(world: World, arguments: dict[str, Any]) -> None:
    ann = world.agent("ann")
    ann.message.send(destination_agent_id="ann", content="x")
    before = dump(world.path)
    with pytest.raises(Invalid):
        ann.call("message.poll", arguments)
    assert dump(world.path) == before
