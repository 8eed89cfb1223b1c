"""Operations that read change nothing, and statements that run often scan nothing that grows."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import apsw
import pytest

from comity.kernel.problem import Invalid, NotFound, Unauthenticated
from comity.kernel.signature import parameters
from comity.rooms import OPERATIONS, REGISTRY
from comity.testing import World
from tests.rooms.channels.rows import put
from tests.wire_format import dump, rows

READS = [name for names in OPERATIONS.values() for name in names if REGISTRY.get(name).effect == "read"]
GROWING = ("messages", "ack_states", "audit_log")


def lively(world: World) -> str:
    """A file with mail in every state, a claim, a malformed row; the id of one delivery to bob."""
    ann, bob = world.agent("ann"), world.agent("bob", max_pending_messages=6)
    for number in range(8):
        ann.message.send(destination_agent_id="bob", content=str(number), ttl_seconds=1 if number > 6 else 3600)
    bob.message.poll(max_messages=2)
    put(world.path, from_json="broken", destination_agent_id="ann", to="ann")
    world.clock.advance(5)
    return ann.message.broadcast(content="x" * 100).delivery_ids[0]


@pytest.mark.parametrize("name", READS)
def test_a_read_changes_nothing(world: World, name: str) -> None:
    delivery_id = lively(world)
    bob = world.agent("bob")
    before = dump(world.path)
    arguments: dict[str, object] = {"delivery_id": delivery_id} if name == "message.read" else {}
    if arguments or not any(parameter.required for parameter in parameters(REGISTRY.get(name))):
        with suppress(Invalid):  # it takes what one holds, which is nothing
            bob.call(name, arguments)
    with suppress(Invalid, NotFound, Unauthenticated):
        bob.call(name, REGISTRY.get(name).example)
    assert dump(world.path) == before


@pytest.mark.parametrize("arguments", [{}, {"min_priority": 3}, {"wait_ms": 20}], ids=str)
def test_an_empty_poll_changes_nothing_and_needs_no_write_lock(world: World, arguments: dict[str, int]) -> None:
    lively(world)
    cid = world.agent("cid")
    before = dump(world.path)
    writer = apsw.Connection(world.path)
    writer.execute("BEGIN IMMEDIATE").fetchall()
    assert cid.call("message.poll", arguments) == ([], [], [], ())
    writer.execute("ROLLBACK").fetchall()
    writer.close()
    assert dump(world.path) == before


@pytest.mark.parametrize(
    "operation",
    [
        "session.start",
        "channel.join",
        "message.send",
        "message.broadcast",
        "message.poll",
        "message.ack",
        "session.end",
    ],
)
def test_hot_statements_scan_nothing_that_grows(world: World, operation: str) -> None:
    """Whatever statements an operation runs, their plans are looked up and hold no scan of a table that grows."""
    seen: dict[str, Any] = {}

    def trace(cursor: apsw.Cursor | apsw.Connection, sql: str, bindings: Any) -> bool:
        if sql.lstrip().upper().startswith(("SELECT", "UPDATE", "DELETE", "INSERT", "WITH")):
            seen.setdefault(sql, bindings)
        return True

    def hook(connection: apsw.Connection) -> None:
        connection.exec_trace = trace

    delivery_id = lively(world)
    apsw.connection_hooks.append(hook)
    try:
        with World(world.path, clock=world.clock) as traced:
            ann = traced.agent("ann", session_id="ann-session-1", start=False)
            bob = traced.agent("bob", session_id="bob-session-2", start=False)
            seen.clear()
            arguments: dict[str, dict[str, object]] = {
                "message.send": {"content": "x", "destination_agent_id": "bob"},
                "message.broadcast": {"content": "x"},
                "message.ack": {"delivery_id": delivery_id},
            }
            actor = ann if operation in {"message.send", "message.broadcast"} else bob
            actor.call(operation, arguments.get(operation, {}))
    finally:
        apsw.connection_hooks.remove(hook)
    assert seen
    connection = apsw.Connection(world.path)
    for sql, bindings in seen.items():
        for _, _, _, detail in connection.execute(f"EXPLAIN QUERY PLAN {sql}", bindings).fetchall():
            words = str(detail).split()
            assert not (words[0] == "SCAN" and words[1] in GROWING), f"{sql}\n{detail}"
            assert "idx_messages_dest" not in words, f"reads expired rows too: {sql}\n{detail}"
            assert "idx_messages_state" not in words, f"{sql}\n{detail}"
    connection.close()


def test_pending_mail_is_counted_through_its_own_index(world: World) -> None:
    lively(world)
    ((sql,),) = rows(world.path, "SELECT sql FROM sqlite_schema WHERE name = 'comity_messages_pending'")
    assert "WHERE state IN ('queued', 'surfaced')" in sql
    plan = rows(
        world.path,
        "EXPLAIN QUERY PLAN SELECT count(*) FROM messages INDEXED BY comity_messages_pending WHERE"
        " destination_agent_id = 'bob' AND state IN ('queued', 'surfaced')"
        " AND (CASE WHEN timestamp GLOB '[0-9]*'"
        " THEN CAST(strftime('%s', timestamp) AS INTEGER) + ttl_seconds END) >= 5",
    )
    assert "comity_messages_pending (destination_agent_id=? AND <expr>>?)" in plan[0][3]
