"""The fifteen conformance rules of MACP v1.0 (protocol reference section 3), each by its number."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import apsw
import pytest

from comity.kernel.problem import Conflict, Forbidden, NotFound, Problem, Unavailable
from comity.testing import World
from tests import wire_format
from tests.sim.processes import lines, spawn
from tests.wire_format import audit, dicts, dump, rows

HOSTILE = 'it\'s "quoted"; DROP TABLE messages; -- $x :y ?1 %s {z} \\ é 漢 😀'


@contextmanager
def failing(needle: str, nth: int) -> Iterator[None]:
    """The ``nth`` statement that contains ``needle`` fails, on every connection opened from now on."""
    seen = 0

    def trace(cursor: apsw.Cursor | apsw.Connection, sql: str, bindings: object) -> bool:
        nonlocal seen
        seen += needle in sql
        return not (needle in sql and seen == nth)

    def hook(connection: apsw.Connection) -> None:
        connection.exec_trace = trace

    apsw.connection_hooks.append(hook)
    try:
        yield
    finally:
        apsw.connection_hooks.remove(hook)


def test_rule_01_tables_and_indexes_of_the_schema_exist(world: World) -> None:
    names = {row[0] for row in rows(world.path, "SELECT name FROM sqlite_schema")}
    wanted = [*wire_format.tables(wire_format.CORE), *wire_format.CORE_INDEXES]
    assert names.issuperset(wanted)  # tests/store/test_wire_schema.py compares every column


def test_rule_02_values_are_bound_never_spliced(world: World) -> None:
    ann = world.agent(f"ann {HOSTILE}", name=HOSTILE, role=HOSTILE, channel=HOSTILE, interest_tags=(HOSTILE,))
    bob = world.agent(f"bob {HOSTILE}", channel=HOSTILE)
    extra = {"type": HOSTILE, "relevance_tags": [HOSTILE], "source_references": [HOSTILE]}
    ann.call("message.broadcast", {"content": HOSTILE, "channel_id": HOSTILE, **extra})
    ann.call("message.send", {"content": HOSTILE, "destination_agent_id": bob.actor.agent_id, **extra})
    both = bob.message.poll().deliveries
    assert [delivery.content for delivery in both] == [HOSTILE, HOSTILE]
    for delivery in both:
        assert delivery.from_.name == delivery.type == HOSTILE
        assert delivery.context.relevance_tags == delivery.context.source_references == [HOSTILE]
        bob.message.ack(delivery_id=delivery.delivery_id)
    with pytest.raises(NotFound):
        bob.message.ack(delivery_id=HOSTILE)
    assert bob.message.send(destination_agent_id=HOSTILE, content="x").recipient_agent_ids == [ann.actor.agent_id]
    with pytest.raises(NotFound):
        bob.message.send(destination_agent_id=f"cid {HOSTILE}", content="x")
    wire_format.check(world.path)


def test_rule_03_one_message_id_and_a_delivery_id_for_each_recipient(world: World) -> None:
    ann, *others = [world.agent(name) for name in ("ann", "bob", "cid", "dan")]
    sent = ann.message.broadcast(content="hello")
    assert sent.recipient_agent_ids == ["bob", "cid", "dan"]
    assert len({*sent.delivery_ids, sent.message_id}) == 4
    for agent, delivery_id in zip(others, sent.delivery_ids, strict=True):
        (delivery,) = agent.message.poll().deliveries
        assert (delivery.message_id, delivery.delivery_id) == (sent.message_id, delivery_id)


@pytest.mark.parametrize("needle", ["INSERT INTO messages", "INSERT INTO sequence_counters", "INSERT INTO audit_log"])
def test_rule_04_an_error_at_the_last_recipient_leaves_nothing_of_the_send(world: World, needle: str) -> None:
    for name in ("ann", "bob", "cid", "dan"):
        world.agent(name)
    with failing(needle, 3), World(world.path, clock=world.clock) as faulty:
        ann = faulty.agent("ann", start=False, session_id="ann-session-1")
        before = dump(world.path)
        with pytest.raises(Unavailable):
            ann.message.broadcast(content="hello")
        assert dump(world.path) == before
        assert len(ann.message.broadcast(content="hello").delivery_ids) == 3


def test_rule_04_a_whole_send_is_one_immediate_transaction(world: World) -> None:
    for name in ("ann", "bob", "cid"):
        world.agent(name)
    seen: list[str] = []

    def hook(connection: apsw.Connection) -> None:
        def trace(cursor: apsw.Cursor | apsw.Connection, sql: str, bindings: object) -> bool:
            seen.append(sql)
            return True

        connection.exec_trace = trace

    apsw.connection_hooks.append(hook)
    try:
        with World(world.path, clock=world.clock) as traced:
            ann = traced.agent("ann", start=False, session_id="ann-session-1")
            seen.clear()
            ann.message.broadcast(content="hello")
    finally:
        apsw.connection_hooks.remove(hook)
    words = [sql.split(maxsplit=1)[0].upper() for sql in seen]
    last = words.index("COMMIT")
    assert seen[0] == "BEGIN IMMEDIATE"
    assert {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT"}.isdisjoint(words[1:last])
    assert {"INSERT", "UPDATE", "DELETE"}.isdisjoint(words[last:])


def test_rule_04_a_full_queue_is_an_outcome_for_that_recipient_alone(world: World) -> None:
    ann, bob, cid = world.agent("ann"), world.agent("bob", max_pending_messages=1), world.agent("cid")
    ann.message.send(destination_agent_id="bob", content="first", priority="interrupt")
    sent = ann.message.broadcast(content="second")
    assert sent.recipient_agent_ids == ["cid"]
    assert [(one.agent_id, one.reason_code) for one in sent.refused] == [("bob", "MACP_ERR_QUEUE_FULL_REJECT_INCOMING")]
    assert [delivery.content for delivery in cid.message.poll().deliveries] == ["second"]
    assert [delivery.content for delivery in bob.message.poll().deliveries] == ["first"]
    (rejected,) = audit(world.path, "message.reject")
    assert (rejected["agent_id"], rejected["message_id"]) == ("bob", sent.message_id)


def test_rule_05_sequence_numbers_have_no_gap_and_no_repeat_among_processes(world: World) -> None:
    world.agent("reader", channel="", max_pending_messages=100_000)
    names = [f"writer{number}" for number in range(6)]
    started = [spawn("tests.sim.writer", world.path, name, 40, 1, "reader") for name in names]
    told = [lines(process.communicate()[0]) for process in started]
    assert [process.returncode for process in started] == [0] * 6
    assert sum(operation == "send" for output in told for operation, _ in output) > 50
    for agent_id in (*names, "reader"):
        numbers = rows(
            world.path,
            "SELECT sequence_number FROM messages WHERE destination_agent_id = ? ORDER BY 1",
            agent_id,
        )
        assert [row[0] for row in numbers] == list(range(1, len(numbers) + 1))
        following = "SELECT next_sequence FROM sequence_counters WHERE destination_key = ?"
        assert rows(world.path, following, agent_id) == ([(len(numbers) + 1,)] if numbers else [])


def test_rule_06_a_full_queue_drops_its_oldest_of_equal_priority(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob", max_pending_messages=3)
    for content in ("one", "two", "three", "four"):
        ann.message.send(destination_agent_id="bob", content=content)
    assert [delivery.content for delivery in bob.message.poll().deliveries] == ["two", "three", "four"]
    assert rows(world.path, "SELECT content FROM messages WHERE state = 'dropped'") == [("one",)]
    (dropped,) = audit(world.path, "message.drop")
    assert dropped["reason_code"] == "MACP_ERR_QUEUE_FULL_DROP_OLDEST"


def test_rule_07_a_sender_needs_an_active_session_and_membership(world: World) -> None:
    ann, _ = world.agent("ann"), world.agent("bob")
    outsider = world.agent("out", channel="elsewhere")
    with pytest.raises(Forbidden) as refused:
        outsider.message.broadcast(content="x", channel_id="main")
    assert refused.value.reason == "MACP_ERR_SENDER_NOT_MEMBER"
    assert refused.value.data == {"agentId": "out", "sessionId": "out-session-3", "channelId": "main"}
    outsider.message.send(destination_agent_id="bob", content="needs no membership")
    ann.session.end()
    before = dump(world.path)
    for arguments in ({"content": "x"}, {"content": "x", "destination_agent_id": "bob"}):
        with pytest.raises(Conflict) as gone:
            ann.call("message.send" if "destination_agent_id" in arguments else "message.broadcast", arguments)
        assert gone.value.reason == "MACP_ERR_SENDER_NOT_ACTIVE"
        assert gone.value.data == {"agentId": "ann", "sessionId": "ann-session-1"}
    assert dump(world.path) == before


def test_rule_08_destination_and_channel_are_checked_first(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    rows(world.path, "INSERT INTO channels (channel_id, created_at, state) VALUES ('shut', '', 'closed')")
    bob.session.end()
    before = dump(world.path)
    cases: list[tuple[str, dict[str, object], str, dict[str, str]]] = [
        ("message.send", {"destination_agent_id": "bob"}, "DESTINATION_UNKNOWN", {"destinationAgentId": "bob"}),
        ("message.send", {"destination_agent_id": "nobody"}, "DESTINATION_UNKNOWN", {"destinationAgentId": "nobody"}),
        ("message.broadcast", {"channel_id": "nowhere"}, "CHANNEL_NOT_FOUND", {"channelId": "nowhere"}),
        ("message.broadcast", {"channel_id": "shut"}, "CHANNEL_NOT_FOUND", {"channelId": "shut"}),
    ]
    for name, arguments, code, data in cases:
        with pytest.raises(NotFound) as refused:
            ann.call(name, {"content": "x", **arguments})
        assert refused.value.reason == f"MACP_ERR_{code}"
        assert refused.value.data == data
    assert dump(world.path) == before


def test_rule_09_a_direct_delivery_has_no_channel(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.message.send(destination_agent_id="bob", content="direct")
    ann.message.broadcast(content="to all")
    found = dicts(world.path, 'SELECT content, channel_id, destination_type, "to" FROM messages ORDER BY content')
    assert [tuple(row.values()) for row in found] == [
        ("direct", None, "agent", "bob"),
        ("to all", "main", "channel", "main"),
    ]
    assert [row["channel_id"] for row in audit(world.path, "message.send")] == [None, "main"]
    assert [delivery.channel_id for delivery in bob.message.poll().deliveries] == [None, "main"]


def test_rule_10_acknowledgements_are_kept_for_each_delivery(world: World) -> None:
    ann, bob, cid = world.agent("ann"), world.agent("bob"), world.agent("cid")
    to_bob, to_cid = ann.message.broadcast(content="hello").delivery_ids
    bob.message.poll()
    world.clock.advance(5)
    bob.message.ack(delivery_id=to_bob)
    levels = "SELECT ack_level FROM ack_states WHERE delivery_id = ? ORDER BY timestamp, ack_level"
    assert rows(world.path, levels, to_bob) == [("queued",), ("received",), ("processed",)]
    assert rows(world.path, levels, to_cid) == [("queued",)]
    assert [delivery.state for delivery in cid.message.poll().deliveries] == ["queued"]


def test_rule_11_acks_of_unknown_expired_and_dropped_are_refused_and_repeats_change_nothing(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob", max_pending_messages=1)
    (dropped,) = ann.message.send(destination_agent_id="bob", content="dropped").delivery_ids
    (expired,) = ann.message.send(destination_agent_id="bob", content="expired", ttl_seconds=1).delivery_ids
    world.clock.advance(3)
    bob.message.poll()
    for delivery_id, state in ((dropped, "dropped"), (expired, "expired")):
        with pytest.raises(Conflict) as refused:
            bob.message.ack(delivery_id=delivery_id)
        assert refused.value.reason == "MACP_ERR_DELIVERY_NOT_ACKABLE"
        assert refused.value.data == {"deliveryId": delivery_id, "state": state}
    with pytest.raises(NotFound) as unknown:
        bob.message.ack(delivery_id="0190d3f0-0000-7000-8000-000000000000")
    assert unknown.value.reason == "MACP_ERR_DELIVERY_NOT_FOUND"
    (fine,) = ann.message.send(destination_agent_id="bob", content="fine").delivery_ids
    first = bob.message.ack(delivery_id=fine)
    before = dump(world.path)
    world.clock.advance(1)
    assert bob.message.ack(delivery_id=fine) == first == (fine, "acknowledged")
    assert dump(world.path) == before


def test_rule_12_stale_pending_rows_expire_in_poll_and_are_audited(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    direct = ann.message.send(destination_agent_id="bob", content="direct", ttl_seconds=1)
    broadcast = ann.message.broadcast(content="to all", ttl_seconds=1)
    bob.message.poll(max_messages=1)  # one is surfaced, one still queued: both are pending
    world.clock.advance(2.5)
    polled = bob.message.poll()
    both = [*direct.delivery_ids, *broadcast.delivery_ids]
    assert (polled.deliveries, sorted(polled.expired_delivery_ids)) == ([], sorted(both))
    states = "SELECT DISTINCT state FROM messages WHERE destination_agent_id = 'bob'"
    assert rows(world.path, states) == [("expired",)]
    events = {row["delivery_id"]: row for row in audit(world.path, "message.expire")}
    assert sorted(events) == sorted(both)
    for sent, channel in ((direct, None), (broadcast, "main")):
        row = events[sent.delivery_ids[0]]
        assert (row["message_id"], row["agent_id"], row["channel_id"]) == (sent.message_id, "bob", channel)
        assert (row["reason_code"], row["metadata_json"]) == ("MACP_ERR_TTL_EXPIRED", "{}")
    assert bob.message.poll() == ([], [], [], ())


def test_rule_13_rows_beyond_the_budget_are_audited(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    sent = ann.message.send(destination_agent_id="bob", content="more than a byte")
    polled = bob.message.poll(budget_bytes=1)
    assert polled.pruned_delivery_ids == sent.delivery_ids
    (row,) = audit(world.path, "message.prune")
    assert (row["message_id"], row["delivery_id"], row["agent_id"], row["channel_id"], row["reason_code"]) == (
        sent.message_id,
        sent.delivery_ids[0],
        "bob",
        None,
        "MACP_ERR_BUDGET_PRUNED",
    )
    assert json.loads(row["metadata_json"]) == {"budget_bytes": 1, "payload_byte_size": 16}
    assert all(delivery.truncated for delivery in polled.deliveries)


def test_rule_14_queued_and_surfaced_rows_come_back_until_acknowledged(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.message.send(destination_agent_id="bob", content="old")
    (first,) = bob.message.poll().deliveries
    ann.message.send(destination_agent_id="bob", content="new")
    again = bob.message.poll().deliveries
    assert [(one.content, one.state) for one in again] == [("old", "surfaced"), ("new", "queued")]
    bob.message.ack(delivery_id=first.delivery_id)
    assert [(one.content, one.state) for one in bob.message.poll().deliveries] == [("new", "surfaced")]


def test_rule_15_deregistration_removes_memberships(world: World) -> None:
    ann, bob, cid = world.agent("ann"), world.agent("bob"), world.agent("cid")
    bob.channel.join(channel_id="other")
    bob.session.end()
    assert rows(world.path, "SELECT channel_id FROM channel_members WHERE agent_id = 'bob'") == []
    assert ann.message.broadcast(content="hello").recipient_agent_ids == ["cid"]
    assert ann.channel.join(channel_id="main").peer_agent_ids == ["cid"]
    with pytest.raises(Problem):
        bob.message.poll()
    assert cid.message.poll().deliveries
