"""A foreign peer and Comity on the same file at the same time (protocol reference section 10)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from comity.kernel.clock import SystemClock
from comity.kernel.problem import Conflict, NotFound
from comity.testing import World
from tests.original import Original, ProtocolError
from tests.wire_format import audit, check, dicts, dump, rows


@pytest.fixture
def peer(world: World) -> Iterator[Original]:
    """The agent ``node``, registered and in ``main`` by the original implementation."""
    made = Original(world.path, "node", "node-session", world.clock)
    made.register()
    made.join("main")
    yield made
    made.close()


def test_each_sees_the_others(world: World, peer: Original) -> None:
    ann = world.agent("ann")
    assert ann.channel.join().peer_agent_ids == ["node"]
    assert peer.join("main") == ["ann"]
    assert [agent.agent_id for agent in ann.agent.list().agents] == ["ann", "node"]


def test_the_rows_of_both_are_alike(world: World, peer: Original) -> None:
    ann = world.agent("ann", name="node of the original", session_id="other", channel="main")
    peer.send_channel("main", "hé")
    ann.message.broadcast(content="hé")
    peer.send_direct("ann", "direct", priority=3, ttl=60)
    ann.message.send(destination_agent_id="node", content="direct", priority=3, ttl_seconds=60)
    vary = {"delivery_id", "message_id", "created_at"}
    found = [
        {key: value for key, value in row.items() if key not in vary}
        for row in dicts(world.path, "SELECT *, typeof(priority), typeof(ttl_seconds) FROM messages ORDER BY rowid")
    ]

    def as_of_the_other(row: dict[str, object]) -> dict[str, object]:
        text = repr(row)
        for ours, theirs in (("'ann'", "'node'"), ('"ann"', '"node"'), ('"other"', '"node-session"')):
            text = text.replace(theirs, "?").replace(ours, "?")
        return {"row": text}

    assert as_of_the_other(found[0]) == as_of_the_other(found[1])
    assert as_of_the_other(found[2]) == as_of_the_other(found[3])
    events = [
        [value for key, value in row.items() if key not in {"id", "message_id", "delivery_id", "agent_id"}]
        for row in audit(world.path, "message.send")
    ]
    assert events[0] == events[1]
    assert events[2] == events[3]


def test_mail_from_the_peer(world: World, peer: Original) -> None:
    ann = world.agent("ann")
    direct = peer.send_direct("ann", "direct", priority=2)
    (broadcast,) = peer.send_channel("main", "to all")
    first, second = ann.message.poll().deliveries
    assert (first.delivery_id, first.content, first.channel_id) == (direct, "direct", None)
    assert (second.delivery_id, second.content, second.channel_id) == (broadcast, "to all", "main")
    assert first.from_ == ("node", "node-session", "node of the original")
    assert (first.sequence_number, second.sequence_number) == (1, 2)
    ann.message.ack(delivery_id=direct)
    with pytest.raises(NotFound):
        ann.message.ack(delivery_id="0190d3f0-0000-4000-8000-000000000000")
    peer.ack(broadcast)  # the original acks anybody's
    assert ann.message.poll() == ([], [], [], ())
    assert ann.message.ack(delivery_id=broadcast).state == "acknowledged"
    assert len(audit(world.path, "message.ack")) == 2


def test_mail_to_the_peer(world: World, peer: Original) -> None:
    ann = world.agent("ann")
    (direct,) = ann.message.send(destination_agent_id="node", content="direct", priority="interrupt").delivery_ids
    (broadcast,) = ann.message.broadcast(content="to all").delivery_ids
    deliveries, expired, pruned = peer.poll()
    assert [(one["id"], one["sequence"], one["state"]) for one in deliveries] == [
        (direct, 1, "queued"),
        (broadcast, 2, "queued"),
    ]
    assert (expired, pruned) == ([], [])
    assert deliveries[0]["from"] == {"agent_id": "ann", "session_id": ann.actor.session_id, "name": "ann"}
    assert deliveries[0]["context"] == {
        "relevance_tags": [],
        "confidence": 1,
        "source_references": [],
        "payload_byte_size": 6,
    }
    peer.ack(direct)
    peer.ack(broadcast)
    assert peer.poll() == ([], [], [])
    assert rows(world.path, "SELECT DISTINCT state FROM messages") == [("acknowledged",)]
    assert rows(world.path, "SELECT count(*) FROM ack_states") == [(6,)]


def test_sequence_numbers_and_queue_limits_are_shared(world: World, peer: Original) -> None:
    ann, bob = world.agent("ann"), world.agent("bob", max_pending_messages=4)
    for number in range(3):
        ann.message.send(destination_agent_id="bob", content=f"ours {number}")
        peer.send_direct("bob", f"theirs {number}")
    assert rows(world.path, "SELECT content FROM messages WHERE state = 'dropped' ORDER BY 1") == [
        ("ours 0",),
        ("theirs 0",),
    ]
    assert len(audit(world.path, "message.drop")) == 2
    assert [one.sequence_number for one in bob.message.poll().deliveries] == [3, 4, 5, 6]
    with pytest.raises(ProtocolError, match="QUEUE_FULL_REJECT_INCOMING"):
        peer.send_direct("bob", "no room")


@pytest.mark.parametrize("now_ms", [4_999, 5_000, 5_999, 6_000, 6_001])
def test_both_agree_when_mail_expires(world: World, peer: Original, now_ms: int) -> None:
    ann = world.agent("ann")
    peer.send_direct("ann", "x", ttl=5)
    ann.message.send(destination_agent_id="node", content="x", ttl_seconds=5)
    world.clock.advance(now_ms / 1000)
    theirs, ours = peer.poll(), ann.message.poll()
    assert len(theirs[0]) == len(ours.deliveries) == (1 if now_ms < 6_000 else 0)
    assert len(theirs[1]) == len(ours.expired_delivery_ids) == (0 if now_ms < 6_000 else 1)
    events = audit(world.path, "message.expire")
    assert len({tuple(list(row.values())[5:]) for row in events}) <= 1


def test_both_prune_alike(world: World, peer: Original) -> None:
    ann = world.agent("ann")
    for size, priority in ((30, 1), (50, 2), (20, 0), (40, 3), (10, 1)):
        peer.send_direct("ann", "x" * size, priority)
        ann.message.send(destination_agent_id="node", content="x" * size, priority=priority)  # type: ignore[arg-type]
    theirs, ours = peer.poll(budget=100), ann.message.poll(budget_bytes=100)
    assert [one["sequence"] for one in theirs[0]] == [one.sequence_number for one in ours.deliveries]
    assert len(theirs[2]) == len(ours.pruned_delivery_ids)
    events = [row["metadata_json"] for row in audit(world.path, "message.prune")]
    half = len(events) // 2
    assert events[:half] == events[half:]


def test_the_peer_restarts_with_a_new_session_while_our_tables_exist(world: World, peer: Original) -> None:
    ann = world.agent("ann")
    ann.message.broadcast(content="waiting")
    again = Original(world.path, "node", "node-session-2", world.clock)
    again.register()
    again.join("main")
    deliveries, _, _ = again.poll()
    assert [one["content"] for one in deliveries] == ["waiting"]
    assert ann.message.broadcast(content="hello again").recipient_agent_ids == ["node"]
    check(world.path)
    again.close()


def test_one_agent_moves_from_one_implementation_to_the_other_and_back(world: World, peer: Original) -> None:
    peer.claim("src/a.py")
    ours = world.agent("node", session_id="ours")
    assert rows(world.path, "SELECT session_id FROM macp_ext_file_claims") == [("ours",)]
    with pytest.raises(ProtocolError, match="SENDER_NOT_ACTIVE"):
        peer.send_direct("node", "x")
    rows(world.path, "DELETE FROM macp_ext_file_claims")
    back = Original(world.path, "node", "back", world.clock)
    back.register()
    with pytest.raises(Conflict) as refused:
        ours.message.poll()
    assert refused.value.reason == "MACP_ERR_SESSION_UNKNOWN"
    back.join("main")
    before = dump(world.path)
    ours.session.end()
    assert dump(world.path) == before
    back.deregister()
    check(world.path)
    back.close()


def test_the_peer_leaves(world: World, peer: Original) -> None:
    ann = world.agent("ann")
    peer.deregister()
    assert ann.message.broadcast(content="x").recipient_agent_ids == []
    with pytest.raises(NotFound):
        ann.message.send(destination_agent_id="node", content="x")


def test_a_file_with_the_core_tables_only(world: World) -> None:
    path = f"{world.path}.core"
    peer = Original(path, "node", "s", world.clock, extension=False)
    peer.register()
    peer.join("main")
    with World(path, clock=world.clock) as ours:
        ann = ours.agent("ann")
        assert ann.message.broadcast(content="x").recipient_agent_ids == ["node"]
        assert len(peer.poll()[0]) == 1
    peer.close()
    check(path)


def test_a_waiting_poll_hears_the_peer(world: World, peer: Original) -> None:
    """It writes without ringing a bell; the waiter's own look finds it, long before its time is over."""
    ann = world.agent("ann")
    waiting = threading.Event()
    answers: list[list[str]] = []

    def wait() -> None:
        waiting.set()
        answers.append([one.content for one in ann.message.poll(wait_ms=20_000).deliveries])

    thread = threading.Thread(target=wait)
    began = time.monotonic()
    thread.start()
    waiting.wait()
    peer.send_direct("ann", "psst")
    thread.join(20)
    assert answers == [["psst"]]
    assert time.monotonic() - began < 10


def test_both_at_once_from_many_threads(world: World) -> None:
    clock = SystemClock()
    world.agent("sink", channel="", max_pending_messages=100_000)
    peers = [Original(world.path, f"node{number}", f"s{number}", clock) for number in range(3)]
    for one in peers:
        one.register()
    ours = [world.agent(f"ann{number}") for number in range(3)]
    threads = [
        *(threading.Thread(target=lambda p=p: [p.send_direct("sink", str(n)) for n in range(30)]) for p in peers),
        *(
            threading.Thread(
                target=lambda w=w: [w.message.send(destination_agent_id="sink", content=str(n)) for n in range(30)]
            )
            for w in ours
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [row[0] for row in rows(world.path, "SELECT sequence_number FROM messages ORDER BY 1")]
    assert numbers == list(range(1, 181))
    for one in peers:
        one.close()
    check(world.path)
