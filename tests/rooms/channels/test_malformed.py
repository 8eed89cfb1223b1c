"""Rows that other programs left in a bad way: set aside, told, audited; they block nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comity.kernel.record import to_json
from comity.testing import World
from tests.rooms.channels.rows import WHOLE, put
from tests.wire_format import audit, check, rows

UNREADABLE: dict[str, dict[str, Any]] = {
    "timestamp now": {"timestamp": "now"},
    "from_json cut": {"from_json": '{"agent_id":'},
    "from_json null": {"from_json": "null"},
    "from_json list": {"from_json": "[]"},
    "from_json text": {"from_json": '"ann"'},
    "from_json empty": {"from_json": ""},
    "from_json blob": {"from_json": b"{}"},
    "context_json cut": {"context_json": "{"},
    "context_json null": {"context_json": "null"},
    "context_json number": {"context_json": "1"},
    "context_json nan": {"context_json": '{"confidence":NaN}'},
    "context_json infinite": {"context_json": '{"confidence":1e999}'},
    "context_json too deep": {"context_json": "[" * 100_000},
    "context_json endless number": {"context_json": '{"payload_byte_size":' + "9" * 5000 + "}"},
    "ack_json cut": {"ack_json": '{"request_level":"received"'},
    "ack_json null": {"ack_json": "null"},
    "priority above": {"priority": 4},
    "priority below": {"priority": -1},
    "priority text": {"priority": "high"},
    "priority fraction": {"priority": 1.5},
    "priority long text": {"priority": "p" * 100_000},
    "state unknown": {"state": "frozen"},
    "state blob": {"state": b"queued"},
    "timestamp words": {"timestamp": "yesterday"},
    "timestamp empty": {"timestamp": ""},
    "timestamp blob": {"timestamp": b"2026-01-01T00:00:00.000Z"},
    "ttl zero": {"ttl_seconds": 0},
    "ttl text": {"ttl_seconds": "an hour"},
    "ttl fraction": {"ttl_seconds": 3600.5},
    "sequence text": {"sequence_number": "first"},
    "type blob": {"type": b"discovery"},
    "to blob": {"to": b"bob"},
    "message id blob": {"message_id": b"m"},
    "delivery id blob": {"delivery_id": b"d"},
    "delivery id null": {"delivery_id": None},
}
TOLERATED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "from_json without keys": ({"from_json": "{}"}, {"from_": ("", "", "")}),
    "from_json with more": ({"from_json": '{"agent_id":"ann","session_id":"s","name":"Ann","x":[1]}'}, {}),
    "context without keys": ({"context_json": "{}"}, {"context": ([], 1, [], 7, "")}),
    "context of wrong types": (
        {"context_json": '{"relevance_tags":"t","confidence":"no","source_references":[1],"payload_byte_size":-1}'},
        {"context": ([], 1, [], 7, "")},
    ),
    "confidence out of range": (
        {"context_json": '{"confidence":1e300,"payload_byte_size":7}'},
        {"context": ([], 1, [], 7, "")},
    ),
    "ack_json without key": ({"ack_json": "{}"}, {"ack": ("received",)}),
    "content blob": ({"content": b"caf\xc3\xa9 \xff"}, {"content": "café \ufffd"}),
    "content with NUL": ({"content": "a\0b"}, {"content": "a\0b"}),
    "ttl beyond year 9999": ({"ttl_seconds": 10**12}, {"ttl_seconds": 10**12}),
    "largest ttl": ({"ttl_seconds": 2**63 - 1}, {}),
    "seconds only": ({"timestamp": "2026-01-01T00:00:00Z"}, {}),
    "another zone": ({"timestamp": "2026-01-01T01:00:00.123456+01:00"}, {}),
}


def answerable(result: object) -> str:
    """The answer as a door would send it: as JSON in UTF-8."""
    text = json.dumps(to_json(result), ensure_ascii=False, allow_nan=False)
    assert "\\u0000" in text or "\0" not in text
    text.encode()
    return text


@pytest.mark.parametrize("columns", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_row_is_set_aside_once_and_blocks_nobody(world: World, columns: dict[str, Any]) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    put(world.path, **columns)
    ann.message.send(destination_agent_id="bob", content="behind it")
    polled = bob.message.poll()
    answerable(polled)
    assert [delivery.content for delivery in polled.deliveries] == ["behind it"]
    (bad,) = polled.malformed
    assert bad.why
    assert len(bad.why) <= 200
    (event,) = audit(world.path, "message.malformed")
    assert event["agent_id"] == "bob"
    assert json.loads(event["metadata_json"]) == {"why": bad.why}
    answerable(bob.event.list(newest=10))
    again = bob.message.poll()
    assert (len(again.deliveries), again.malformed) == (1, ())
    assert rows(world.path, "SELECT content FROM messages WHERE state = 'dropped'") == [("by hand",)]
    check(world.path)


@pytest.mark.parametrize(("columns", "wanted"), TOLERATED.values(), ids=TOLERATED)
def test_a_row_that_makes_sense_is_delivered(world: World, columns: dict[str, Any], wanted: dict[str, Any]) -> None:
    bob = world.agent("bob")
    put(world.path, **columns)
    polled = bob.message.poll()
    answerable(polled)
    (delivery,) = polled.deliveries
    assert {key: getattr(delivery, key) for key in wanted} == wanted
    bob.message.ack(delivery_id=delivery.delivery_id)
    assert bob.message.poll() == ([], [], [], ())


def test_a_row_that_ended_before_it_began_expires(world: World) -> None:
    bob = world.agent("bob")
    delivery_id = put(world.path, ttl_seconds=-5)
    assert bob.message.poll().expired_delivery_ids == [delivery_id]


def test_lone_surrogates_of_javascript_are_replaced(world: World) -> None:
    bob = world.agent("bob")
    put(
        world.path,
        from_json='{"agent_id":"ann","session_id":"s","name":"half \\ud83d whole \\ud83d\\ude00"}',
        context_json='{"relevance_tags":["\\udc00"],"confidence":0.5,"source_references":[],"payload_byte_size":7}',
    )
    polled = bob.message.poll()
    answerable(polled)
    (delivery,) = polled.deliveries
    assert delivery.from_.name == "half ? whole 😀"
    assert delivery.context == (["?"], 0.5, [], 7, "")


@pytest.mark.parametrize("column", ["content", "from_json", "type", "context_json"])
def test_text_that_is_no_utf8_is_read_with_replacements(world: World, column: str) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    put(world.path)
    rows(
        world.path,
        f"UPDATE messages SET {column} = CAST(substr(CAST({column} AS BLOB), 1, 14) || x'ff' ||"
        f" substr(CAST({column} AS BLOB), 15) AS TEXT)",
    )
    ann.message.send(destination_agent_id="bob", content="behind it")
    polled = bob.message.poll()
    answerable(polled)
    assert len(polled.deliveries) + len(polled.malformed) == 2
    assert "behind it" in [delivery.content for delivery in polled.deliveries]
    answerable(ann.event.list(newest=100))


def test_many_bad_rows_hide_nothing_for_long(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    for number in range(40):
        put(world.path, delivery_id=f"bad {number}", priority=3, from_json="nope", sequence_number=number)
    for number in range(40):
        put(world.path, delivery_id=f"odd {number}", state="odd", sequence_number=number)
    ann.message.send(destination_agent_id="bob", content="behind them")
    polled = bob.message.poll()
    assert [delivery.content for delivery in polled.deliveries] == ["behind them"]
    assert len(polled.malformed) == 80


def test_a_bad_row_is_found_whatever_priority_is_asked_for(world: World) -> None:
    bob = world.agent("bob")
    put(world.path, priority="urgent")
    assert len(bob.message.poll(min_priority=3).malformed) == 1


def test_content_of_a_row_set_aside_can_still_be_read(world: World) -> None:
    bob = world.agent("bob")
    delivery_id = put(world.path, state="frozen")
    bob.message.poll()
    assert bob.message.read(delivery_id=delivery_id).content == WHOLE["content"]


SESSIONS: dict[str, dict[str, str]] = {
    "capabilities cut": {"capabilities_json": "{"},
    "capabilities null": {"capabilities_json": "null"},
    "budget text": {"capabilities_json": '{"max_context_bytes":"much"}'},
    "budget infinite": {"capabilities_json": '{"max_context_bytes":1e999}'},
    "budget negative": {"capabilities_json": '{"max_context_bytes":-1}'},
    "tags cut": {"interest_tags_json": "["},
    "tags of wrong types": {"interest_tags_json": '[1,{"a":2}]'},
    "tags object": {"interest_tags_json": "{}"},
    "limit cut": {"queue_preferences_json": "{"},
    "limit null": {"queue_preferences_json": "null"},
    "limit absent": {"queue_preferences_json": "{}"},
    "limit infinite": {"queue_preferences_json": '{"max_pending_messages":1e999}'},
    "limit list": {"queue_preferences_json": "[]"},
}


@pytest.mark.parametrize("columns", SESSIONS.values(), ids=SESSIONS)
def test_a_bad_session_row_stops_neither_sending_nor_polling(world: World, columns: dict[str, str]) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    for column, value in columns.items():
        rows(world.path, f"UPDATE sessions SET {column} = ? WHERE agent_id = 'bob'", value)
    ann.message.send(destination_agent_id="bob", content="direct")
    assert ann.message.broadcast(content="to all").recipient_agent_ids == ["bob"]
    assert [delivery.content for delivery in bob.message.poll().deliveries] == ["direct", "to all"]
    assert [agent.agent_id for agent in ann.agent.list().agents] == ["ann", "bob"]
    answerable(ann.agent.list())
