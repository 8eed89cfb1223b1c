"""Hooks die at any statement and at any instant: no delivery is lost, and none counts as seen that was not written."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest

import comity
from comity import Problem, Workspace
from comity.rooms.turns.model import LEASE_MS
from tests.e2e.served import surroundings
from tests.mcp.driven import SOURCES
from tests.rounds import rounds
from tests.sim.conftest import Fault, fault
from tests.sim.turn_scenes import hooked
from tests.wire_format import check, rows
from tests.worlds import fresh

__all__ = ["fault"]  # pytest finds the fixture here
ROUNDS = rounds(20, 60)


def one_hook(ann: Workspace, given: list[str], *, start: bool) -> None:
    """A hook from its start to its end; what it wrote out is given, whatever becomes of it after that."""
    said = ann.turn.start() if start else ann.turn.next(moved=True)
    if said.text:
        given.append(said.text)
    if said.injection_id:
        ann.turn.written(injection_id=said.injection_id)


def claimed_as_seen(path: str | Path) -> set[str]:
    """Deliveries that any table says the agent has got."""
    return {
        row[0]
        for row in rows(
            path,
            "SELECT delivery_id FROM comity_injections WHERE written_ms IS NOT NULL OR seen_ms IS NOT NULL UNION"
            " SELECT delivery_id FROM messages WHERE state IN ('surfaced', 'acknowledged')",
        )
    }


@pytest.mark.parametrize("start", [False, True], ids=["next", "start"])
def test_a_hook_that_fails_at_any_statement_loses_nothing(fault: Fault, start: bool) -> None:
    for n in range(1, 200):
        with fresh() as world:
            ann, bob = hooked(world, "ann"), world.agent("bob")
            ann.turn.start()
            contents = {}
            for number in range(3):
                text = f"message {number}."
                sent = bob.message.send(destination_agent_id="ann", content=text, priority="steering")
                contents[sent.delivery_ids[0]] = text
            given: list[str] = []
            fault.arm(n, lasting=True)
            with suppress(Problem):
                one_hook(ann, given, start=start)
            struck = bool(fault.struck)
            fault.disarm()
            told = "".join(given)
            assert all(contents[key] in told for key in claimed_as_seen(world.path) & contents.keys())
            for _ in range(3):
                world.clock.advance(LEASE_MS / 1000)
                one_hook(ann, given, start=False)
            assert all(text in "".join(given) for text in contents.values())
            check(world.path)
        if not struck:
            break
    assert n > 8


@pytest.mark.slow
@pytest.mark.disk
def test_hooks_may_be_killed_at_any_instant(tmp_path: Path) -> None:
    """The real program, killed while a sender sends; whatever it had written out until then was given."""
    chance = random.Random(7)
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    environment = surroundings(tmp_path)
    bob = comity.open(tmp_path, agent_id="bob", session_id="bob-1", max_per_minute="0")
    database = bob.actor.database
    bob.session.start()
    began = monotonic()
    hook(tmp_path, environment, "SessionStart", None, source="startup")
    whole_s = monotonic() - began
    given, contents = "", {}
    for number in range(ROUNDS):
        text = f"message {number}."
        sent = bob.message.send(destination_agent_id="session-1", content=text, priority="steering")
        contents[sent.delivery_ids[0]] = text
        before = claimed_as_seen(database) & contents.keys()
        assert all(contents[key] in given for key in before), "counts as given, and was not"
        given += hook(tmp_path, environment, "PostToolBatch", chance.uniform(0, whole_s))
    unwritten = "SELECT count(*) FROM comity_injections WHERE written_ms IS NULL"
    for _ in range(2 * ROUNDS):
        rows(database, "UPDATE comity_injections SET leased_until_ms = 0 WHERE written_ms IS NULL")
        given += hook(tmp_path, environment, "PostToolBatch", None)
        if all(text in given for text in contents.values()) and rows(database, unwritten) == [(0,)]:
            break
    assert [text for text in contents.values() if text not in given] == []
    hook(tmp_path, environment, "Stop", None)
    assert rows(database, "SELECT state FROM messages WHERE state <> 'acknowledged'") == []
    bob.close()
    check(database)


def hook(folder: Path, environment: dict[str, str], event: str, kill_after_s: float | None, **more: object) -> str:
    """Run one hook, or kill it after a while; what it wrote out."""
    told = {"session_id": "session-1", "cwd": str(folder), "hook_event_name": event, **more}
    process = subprocess.Popen(
        [sys.executable, "-m", "comity", "hook", "claude-code", event],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=folder,
        env={**environment, "PYTHONPATH": str(SOURCES)},
    )
    try:
        out, _ = process.communicate(json.dumps(told).encode(), timeout=kill_after_s)
    except subprocess.TimeoutExpired:
        os.kill(process.pid, signal.SIGKILL)
        out, _ = process.communicate()
    return out.decode()
