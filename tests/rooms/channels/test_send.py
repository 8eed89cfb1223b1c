"""Sending (MACP v1.0 sections 2.5 and 2.6) and the values it writes (protocol reference sections 1.6 and 10.2)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from comity.kernel.problem import Invalid, Limited, Problem
from comity.testing import World
from tests.wire_format import audit, check, dicts, dump, rows

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def test_the_rows_of_a_direct_send(world: World) -> None:
    ann, _ = world.agent("ann", name="Änn"), world.agent("bob")
    sent = ann.message.send(destination_agent_id="bob", content="hé 漢")
    (row,) = dicts(world.path, "SELECT * FROM messages")
    created = row.pop("created_at")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", created)
    assert row == {
        "delivery_id": sent.delivery_ids[0],
        "message_id": sent.message_id,
        "channel_id": None,
        "from_json": '{"agent_id":"ann","session_id":"ann-session-1","name":"Änn"}',
        "destination_type": "agent",
        "to": "bob",
        "content_type": "text/plain",
        "priority": 1,
        "type": "discovery",
        "content": "hé 漢",
        "sequence_number": 1,
        "context_json": '{"relevance_tags":[],"confidence":1,"source_references":[],"payload_byte_size":7}',
        "ack_json": '{"request_level":"received"}',
        "timestamp": world.clock.now().iso,
        "ttl_seconds": 3600,
        "state": "queued",
        "destination_agent_id": "bob",
    }
    types = rows(world.path, "SELECT typeof(priority), typeof(sequence_number), typeof(ttl_seconds) FROM messages")
    assert types == [("integer",) * 3]
    assert dicts(world.path, "SELECT * FROM ack_states") == [
        {"delivery_id": sent.delivery_ids[0], "ack_level": "queued", "timestamp": world.clock.now().iso}
    ]
    assert rows(world.path, "SELECT * FROM sequence_counters") == [("bob", 2)]
    (event,) = audit(world.path, "message.send")
    assert tuple(event.values())[1:] == (
        *("message.send", sent.message_id, sent.delivery_ids[0], "bob", None, "MACP_OK"),
        *(world.clock.now().iso, "{}"),
    )
    assert all(UUID.fullmatch(one) for one in (sent.message_id, *sent.delivery_ids))


def test_the_rows_of_a_broadcast_with_everything_given(world: World) -> None:
    ann, _ = world.agent("ann"), world.agent("bob")
    sent = ann.message.broadcast(
        content='{"a": 1}',
        priority="interrupt",
        type="build",
        relevance_tags=["x", "ü"],
        confidence=0.25,
        source_references=["src/a.py"],
        ttl_seconds=60,
        content_type="application/json",
        ack_level="processed",
    )
    (row,) = dicts(world.path, "SELECT * FROM messages")
    assert (row["channel_id"], row["destination_type"], row["to"]) == ("main", "channel", "main")
    assert (row["priority"], row["type"], row["ttl_seconds"]) == (3, "build", 60)
    assert row["content_type"] == "application/json"
    assert row["context_json"] == (
        '{"relevance_tags":["x","ü"],"confidence":0.25,"source_references":["src/a.py"],"payload_byte_size":8}'
    )
    assert row["ack_json"] == '{"request_level":"processed"}'
    assert [event["channel_id"] for event in audit(world.path, "message.send")] == ["main"]
    assert sent.refused == ()


@pytest.mark.parametrize(("given", "written"), [(1.0, "1"), (0, "0"), (0.0, "0"), (1, "1"), (0.5, "0.5")])
def test_confidence_is_written_as_javascript_writes_it(world: World, given: float, written: str) -> None:
    ann = world.agent("ann")
    ann.message.send(destination_agent_id="ann", content="x", confidence=given)
    ((context,),) = rows(world.path, "SELECT context_json FROM messages")
    assert f'"confidence":{written},' in context


@pytest.mark.parametrize(
    ("given", "level"), [(0, 0), (3, 3), ("info", 0), ("advisory", 1), ("steering", 2), ("interrupt", 3), (2.0, 2)]
)
def test_priorities_by_number_and_by_name(world: World, given: Any, level: int) -> None:
    ann = world.agent("ann")
    ann.message.send(destination_agent_id="ann", content="x", priority=given)
    assert rows(world.path, "SELECT priority FROM messages") == [(level,)]


def test_to_oneself_and_to_agents_in_no_channel(world: World) -> None:
    ann, _ = world.agent("ann", channel=""), world.agent("bob", channel="")
    assert ann.message.send(destination_agent_id="ann", content="note").recipient_agent_ids == ["ann"]
    assert ann.message.send(destination_agent_id="bob", content="hello").recipient_agent_ids == ["bob"]


def test_a_broadcast_that_nobody_hears_succeeds_and_writes_nothing(world: World) -> None:
    ann = world.agent("ann")
    before = dump(world.path)
    sent = ann.message.broadcast(content="anybody?")
    assert (sent.delivery_ids, sent.recipient_agent_ids, sent.refused) == ([], [], ())
    assert UUID.fullmatch(sent.message_id)
    assert dump(world.path) == before


def test_what_is_checked_first(world: World) -> None:
    """Bad arguments, then the sender, the channel, the membership, then the recipients."""
    ann = world.agent("ann")
    ann.session.end()
    steps = []
    for arguments in ({"content": "x", "channel_id": "none", "priority": 9}, {"content": "x", "channel_id": "none"}):
        with pytest.raises(Problem) as refused:
            ann.call("message.broadcast", arguments)
        steps.append(refused.value.reason)
    ann.session.start()
    with pytest.raises(Problem) as refused:
        ann.message.broadcast(content="x", channel_id="none")
    steps.append(refused.value.reason)
    ann.channel.leave()
    with pytest.raises(Problem) as refused:
        ann.message.broadcast(content="x")
    steps.append(refused.value.reason)
    assert steps == [
        "argument.invalid",
        "MACP_ERR_SENDER_NOT_ACTIVE",
        "MACP_ERR_CHANNEL_NOT_FOUND",
        "MACP_ERR_SENDER_NOT_MEMBER",
    ]


def test_eviction_takes_the_lowest_priority_then_the_oldest(world: World) -> None:
    ann, _ = world.agent("ann"), world.agent("bob", max_pending_messages=4)
    ids = {}
    for content, priority in (("a", 2), ("b", 1), ("c", 1), ("d", 3)):
        sent = ann.message.send(destination_agent_id="bob", content=content, priority=priority)  # type: ignore[arg-type]
        ids[content] = sent
    gone = []
    for content, priority in (("e", 1), ("f", 2), ("g", 2), ("h", 3)):
        sent = ann.message.send(destination_agent_id="bob", content=content, priority=priority)  # type: ignore[arg-type]
        ids[content] = sent
        event = audit(world.path, "message.drop")[-1]
        gone.append(dict(rows(world.path, "SELECT delivery_id, content FROM messages"))[event["delivery_id"]])
        evicted = ids[gone[-1]]
        assert (event["message_id"], event["agent_id"], event["channel_id"]) == (evicted.message_id, "bob", None)
        assert event["reason_code"] == "MACP_ERR_QUEUE_FULL_DROP_OLDEST"
        assert event["metadata_json"] == json.dumps({"replaced_by_message_id": sent.message_id}, separators=(",", ":"))
    assert gone == ["b", "c", "e", "a"]
    assert rows(world.path, "SELECT next_sequence FROM sequence_counters") == [(9,)]


def test_an_evicted_broadcast_is_audited_with_its_own_channel(world: World) -> None:
    ann, _ = world.agent("ann"), world.agent("bob", max_pending_messages=1)
    ann.message.broadcast(content="first")
    ann.message.send(destination_agent_id="bob", content="second")
    (event,) = audit(world.path, "message.drop")
    assert event["channel_id"] == "main"


def test_surfaced_rows_count_but_are_never_evicted(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob", max_pending_messages=2)
    ann.message.send(destination_agent_id="bob", content="seen", priority=0)
    bob.message.poll()
    ann.message.send(destination_agent_id="bob", content="unseen", priority=1)
    ann.message.send(destination_agent_id="bob", content="newer", priority=1)
    assert rows(world.path, "SELECT content FROM messages WHERE state = 'dropped'") == [("unseen",)]
    bob.message.poll()
    with pytest.raises(Limited) as refused:
        ann.message.send(destination_agent_id="bob", content="no room", priority=3)
    assert refused.value.reason == "MACP_ERR_QUEUE_FULL_REJECT_INCOMING"


def test_a_refused_send_leaves_its_audit_row_and_nothing_else(world: World) -> None:
    ann, _ = world.agent("ann"), world.agent("bob", max_pending_messages=1)
    ann.message.send(destination_agent_id="bob", content="high", priority=2)
    before = dump(world.path)
    with pytest.raises(Limited) as refused:
        ann.message.send(destination_agent_id="bob", content="low", priority="advisory")
    assert refused.value.data["destinationAgentId"] == "bob"
    after = dump(world.path)
    assert {name for name in after if after[name] != before[name]} <= {"audit_log", "sqlite_sequence"}
    event = audit(world.path)[-1]
    assert (event["event_type"], event["delivery_id"], event["agent_id"], event["channel_id"]) == (
        *("message.reject", None, "bob", None),
    )
    assert UUID.fullmatch(event["message_id"])
    assert event["reason_code"] == "MACP_ERR_QUEUE_FULL_REJECT_INCOMING"
    assert event["metadata_json"] == '{"incoming_priority":1,"destination_agent_id":"bob"}'


def test_a_broadcast_that_all_refuse_is_an_error_with_its_audit_rows(world: World) -> None:
    ann = world.agent("ann")
    for name in ("bob", "cid"):
        world.agent(name, max_pending_messages=1)
        ann.message.send(destination_agent_id=name, content="high", priority=3)
    with pytest.raises(Limited) as refused:
        ann.message.broadcast(content="low")
    assert refused.value.data["refused"] == [
        {"agentId": name, "reasonCode": "MACP_ERR_QUEUE_FULL_REJECT_INCOMING"} for name in ("bob", "cid")
    ]
    events = audit(world.path, "message.reject")
    assert [(event["agent_id"], event["channel_id"]) for event in events] == [("bob", "main"), ("cid", "main")]
    assert len({event["message_id"] for event in events}) == 1
    assert rows(world.path, "SELECT count(*) FROM messages WHERE channel_id = 'main'") == [(0,)]


def test_dead_mail_makes_room(world: World) -> None:
    ann, _ = world.agent("ann"), world.agent("bob", max_pending_messages=1)
    ann.message.send(destination_agent_id="bob", content="short-lived", priority=3, ttl_seconds=1)
    world.clock.advance(1.999)  # the whole second in which it ends still counts
    with pytest.raises(Limited):
        ann.message.send(destination_agent_id="bob", content="x")
    world.clock.advance(0.001)
    ann.message.send(destination_agent_id="bob", content="x")
    assert rows(world.path, "SELECT count(*) FROM audit_log WHERE event_type = 'message.drop'") == [(0,)]


@pytest.mark.parametrize(("limit", "room"), [("1.7", 1), ('"2"', 2), ('"many"', 0), ("null", 200), ("0", 0)])
def test_a_limit_that_another_program_wrote(world: World, limit: str, room: int) -> None:
    """As SQLite casts it: fractions truncate, words count as 0; absent and null mean 200."""
    ann, _ = world.agent("ann"), world.agent("bob")
    rows(
        world.path,
        "UPDATE sessions SET queue_preferences_json = ? WHERE agent_id = 'bob'",
        f'{{"max_pending_messages":{limit}}}',
    )
    sent = 0
    for _ in range(min(room + 1, 5)):
        try:
            ann.message.send(destination_agent_id="bob", content="x", priority=1)
            sent += 1
        except Limited:
            break
    dropped = len(audit(world.path, "message.drop"))
    assert sent - dropped == min(room, 5)


BAD: list[dict[str, Any]] = [
    {"content": ""},
    {"content": "x" * 1_000_001},
    {"content": "a\0b"},
    {"content": "\ud800"},
    {"content": None},
    {"content": 5},
    {"content": ["x"]},
    {"content": b"x"},
    {"destination_agent_id": ""},
    {"destination_agent_id": "x" * 201},
    {"destination_agent_id": 7},
    {"priority": 4},
    {"priority": -1},
    {"priority": 1.5},
    {"priority": "INTERRUPT"},
    {"priority": True},
    {"type": ""},
    {"type": "x" * 101},
    {"ttl_seconds": 0},
    {"ttl_seconds": -5},
    {"ttl_seconds": 315_360_001},
    {"ttl_seconds": 10**30},
    {"ttl_seconds": 1.5},
    {"ttl_seconds": "60"},
    {"ttl_seconds": True},
    {"confidence": 1.01},
    {"confidence": -0.1},
    {"confidence": float("nan")},
    {"confidence": float("inf")},
    {"confidence": "1"},
    {"relevance_tags": "x"},
    {"relevance_tags": [None]},
    {"relevance_tags": ["\udfff"]},
    {"relevance_tags": ["x"] * 65},
    {"source_references": ["x" * 2001]},
    {"source_references": [["x"]]},
    {"content_type": "text/html"},
    {"content_type": "application/json", "content": "{"},
    {"content_type": "application/json", "content": "[" * 100_000},
    {"ack_level": "seen"},
    {"ack_level": None, "nonsense": 1},
    {"channel_id": "main"},
]


@pytest.mark.parametrize(
    "arguments", BAD, ids=lambda arguments: str(arguments)[:60].encode("ascii", "replace").decode()
)
def test_bad_arguments_are_told_and_change_nothing(world: World, arguments: dict[str, Any]) -> None:
    ann, _ = world.agent("ann"), world.agent("bob")
    before = dump(world.path)
    with pytest.raises(Invalid) as refused:
        ann.call("message.send", {"destination_agent_id": "bob", "content": "x", **arguments})
    told = refused.value.as_dict()
    json.dumps(told, ensure_ascii=False).encode()
    assert told["hint"]
    assert len(str(told["message"])) < 400
    assert dump(world.path) == before
    check(world.path)


def test_the_largest_message_goes_through(world: World) -> None:
    ann = world.agent("ann")
    ann.message.send(destination_agent_id="ann", content="é" * 1_000_000, ttl_seconds=315_360_000, confidence=0)
    (delivery,) = ann.message.poll(budget_bytes=2_000_000).deliveries
    assert (len(delivery.content), delivery.context.payload_byte_size) == (1_000_000, 2_000_000)
