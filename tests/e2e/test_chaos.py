"""Real servers that are killed and stopped: nothing stays with the dead, and nobody living is taken for dead."""

from __future__ import annotations

import signal
import sys
from contextlib import ExitStack
from pathlib import Path
from time import monotonic

import pytest

from bench import chaos
from tests.e2e.served import TIMEOUT_S, Served, common, database
from tests.rounds import rounds
from tests.wire_format import audit, check, rows

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a zombie is known by its lease alone")


def until_reaped(folder: Path, agent_id: str) -> None:
    end = monotonic() + TIMEOUT_S
    while agent_id not in {row["agent_id"] for row in audit(database(folder), "agent.reaped")}:
        assert monotonic() < end, "nobody noticed"


def test_a_killed_server_is_noticed_by_a_living_one_and_its_work_goes_on(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ann, bob = (stack.enter_context(Served(tmp_path, *common(tmp_path, name))) for name in ("ann", "bob"))
        bob.tool("macp_poll")
        ann.tool("macp_ext_claim_files", files=["src/a.py"])
        task = ann.tool("macp_ext_dispatch_task", title="parse")["task"]["taskId"]
        ann.tool("macp_ext_start_task", taskId=task)
        ann.process.kill()  # and nobody waits for it: a zombie
        until_reaped(tmp_path, "ann")
        assert bob.tool("macp_ext_claim_task", taskId=task)["task"]["assignedAgentId"] == "bob"
        assert bob.tool("macp_ext_claim_files", files=["src/a.py"])["claims"][0]["agentId"] == "bob"
        (gone,) = audit(database(tmp_path), "agent.reaped")
        assert '"reaped_by":"bob"' in gone["metadata_json"]
    check(database(tmp_path))


def test_a_stopped_server_is_left_alone(tmp_path: Path) -> None:
    with ExitStack() as stack:
        ann, bob, cid = (stack.enter_context(Served(tmp_path, *common(tmp_path, n))) for n in ("ann", "bob", "cid"))
        for server in (ann, bob, cid):
            server.tool("macp_ext_claim_files", files=[f"{server.process.pid}.py"])
        rows(database(tmp_path), "UPDATE comity_presence SET last_seen_ms = 1, lease_until_ms = 2")
        ann.process.send_signal(signal.SIGSTOP)
        cid.process.kill()
        until_reaped(tmp_path, "cid")  # so bob has looked at everybody
        ann.process.send_signal(signal.SIGCONT)
        assert len(ann.tool("macp_ext_list_agents")["agents"]) == 2
        assert [row["agent_id"] for row in audit(database(tmp_path), "agent.reaped")] == ["cid"]


def test_a_server_says_who_runs_it(tmp_path: Path) -> None:
    with Served(tmp_path, *common(tmp_path, "ann")) as ann:
        (agent,) = ann.tool("macp_ext_list_agents")["agents"]
        presence = agent["presence"]
        assert (presence["state"], presence["pid"]) == ("alive", ann.process.pid)
        assert presence["how"] == f"process {ann.process.pid} runs"
        assert presence["worktree"] == str(tmp_path.resolve())


@pytest.mark.slow
def test_twenty_agents_of_whom_many_die(tmp_path: Path) -> None:
    seconds, a_minute = rounds(5, 12), rounds(110, 50)
    outcome = chaos.run(tmp_path, seconds=seconds, servers=20, kills_per_minute=a_minute, at_least=(8, 3))
    assert outcome.killed >= 8
    assert outcome.stopped >= 3
    assert outcome.work > 100
    assert outcome.orphans == {}
    assert outcome.living_reaped == []
    assert outcome.lost == []
    assert len(outcome.noticed_s) == outcome.killed
    check(tmp_path / "chaos.macp.db")
