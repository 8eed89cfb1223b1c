"""Writers are killed at random instants, hundreds of times: the file stays whole and every promise is kept."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from comity.testing import World
from tests.rounds import rounds
from tests.sim.processes import Nursery
from tests.wire_format import check, rows

AGENTS = [f"agent{number}" for number in range(6)]
PARTS = 4  # run beside each other
ROUNDS = 20
AT_ONCE = 4
PATIENCE = 40  # at most this many operations before the kill


def kill_some(nursery: Nursery, path: str, seed: int) -> int:
    """One round: writers start together, and each is killed after a random number of operations and a bit."""
    chance = random.Random(seed)
    for agent_id in chance.sample(AGENTS, AT_ONCE):
        peers = [name for name in AGENTS if name != agent_id]
        nursery.bear(path, agent_id, 100_000, seed, peers)
    doomed: dict[int, int] = {}
    killed = 0
    while killed < AT_ONCE:
        pid = nursery.hear()
        if pid not in doomed:
            doomed[pid] = chance.randrange(PATIENCE)
        if len(nursery.told[pid]) == doomed[pid] + 1:
            sum(range(chance.randrange(100_000)))
            os.kill(pid, signal.SIGKILL)
            killed += 1
    return killed


def rows_agree(path: str) -> None:
    """Nothing is half written: what one operation writes is there together."""
    whole = {
        "a delivery without its first level": "SELECT delivery_id FROM messages EXCEPT"
        " SELECT delivery_id FROM ack_states WHERE ack_level = 'queued'",
        "a delivery without its audit row": "SELECT delivery_id FROM messages EXCEPT"
        " SELECT delivery_id FROM audit_log WHERE event_type = 'message.send'",
        "an audit row without its delivery": "SELECT delivery_id FROM audit_log WHERE event_type = 'message.send'"
        " EXCEPT SELECT delivery_id FROM messages",
        "two audit rows": "SELECT delivery_id, event_type, count(*) FROM audit_log WHERE delivery_id IS NOT NULL"
        " GROUP BY 1, 2 HAVING count(*) > 1",
        "handed out without its level": "SELECT delivery_id FROM messages WHERE state = 'surfaced' EXCEPT"
        " SELECT delivery_id FROM ack_states WHERE ack_level = 'received'",
        "acknowledged without its level": "SELECT delivery_id FROM messages WHERE state = 'acknowledged' EXCEPT"
        " SELECT delivery_id FROM ack_states WHERE ack_level = 'processed'",
        "acknowledged without its audit row": "SELECT delivery_id FROM messages WHERE state = 'acknowledged' EXCEPT"
        " SELECT delivery_id FROM audit_log WHERE event_type = 'message.ack'",
        "a level without its state": "SELECT delivery_id FROM ack_states WHERE ack_level = 'processed' EXCEPT"
        " SELECT delivery_id FROM messages WHERE state = 'acknowledged'",
        "a broadcast to some": "SELECT message_id, count(*) FROM messages WHERE channel_id IS NOT NULL"
        f" GROUP BY 1 HAVING count(DISTINCT destination_agent_id) <> {len(AGENTS) - 1}",
        "a member of an old session": "SELECT agent_id FROM channel_members EXCEPT"
        " SELECT m.agent_id FROM channel_members m JOIN sessions s ON s.session_id = m.session_id",
        "numbers with a gap or a repeat": "SELECT destination_agent_id FROM messages GROUP BY 1"
        " HAVING count(*) <> max(sequence_number) OR min(sequence_number) <> 1"
        " OR count(DISTINCT sequence_number) <> count(*)",
        "a counter that lags or runs ahead": "SELECT destination_key FROM sequence_counters c WHERE next_sequence <>"
        " 1 + (SELECT count(*) FROM messages WHERE destination_agent_id = c.destination_key)",
    }
    for fault, sql in whole.items():
        assert rows(path, sql) == [], fault


def promises_are_kept(path: str, nursery: Nursery) -> None:
    """What a writer told before it died is in the file."""
    found = dict(rows(path, "SELECT delivery_id, destination_agent_id FROM messages"))
    for sent in (*nursery.promises("send"), *nursery.promises("broadcast")):
        for delivery_id, agent_id in zip(sent["deliveryIds"], sent["recipientAgentIds"], strict=True):
            assert found.get(delivery_id) == agent_id
    states = dict(rows(path, "SELECT delivery_id, state FROM messages"))
    assert all(states[delivery_id] in {"surfaced", "acknowledged"} for delivery_id in nursery.promises("polled"))
    acknowledged = [done["deliveryId"] for done in nursery.promises("ack")]
    assert len(acknowledged) == len(set(acknowledged)), "acknowledged twice"
    assert all(states[delivery_id] == "acknowledged" for delivery_id in acknowledged)


@pytest.mark.slow
@pytest.mark.disk
@pytest.mark.parametrize("part", range(rounds(1, PARTS)))
def test_writers_may_be_killed_at_any_instant(tmp_path: Path, part: int) -> None:
    path = str(tmp_path / "crash.macp.db")
    with World(path) as world:
        for agent_id in AGENTS:
            world.agent(agent_id, max_pending_messages=100_000)
        world.agent("witness", channel="")
    nursery = Nursery()
    killed = 0
    for seed in range(part * ROUNDS, (part + 1) * ROUNDS):
        killed += kill_some(nursery, path, seed)
        if seed % 10 == 9:
            check(path)
            rows_agree(path)
            with World(path) as world:  # a new process works at once
                witness = world.agent("witness", channel="")
                witness.message.send(destination_agent_id="witness", content=f"after round {seed}")
                (delivery,) = witness.message.poll().deliveries
                witness.message.ack(delivery_id=delivery.delivery_id)
    nursery.end()
    assert killed == ROUNDS * AT_ONCE
    assert len(nursery.promises("send")) > killed, "they were killed before they did anything"
    assert nursery.promises("ack")
    check(path)
    rows_agree(path)
    promises_are_kept(path, nursery)
