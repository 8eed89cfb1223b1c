"""Presence, leases and the dead: on a real file, with invented machines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comity import Problem, Workspace
from comity.process import ThisProcess, absent
from comity.rooms.lifecycle.model import ReapedAgent
from comity.testing import FakeMachine, World
from tests.original import Original
from tests.wire_format import audit, check, dicts, dump, rows

LEASE_S = 120


class Town:
    """A machine with two agents on it: ``ann``, who holds something of everything, and ``bob``."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.machine = FakeMachine()
        self.ann_process = self.machine.start(program="claude", worktree="/repo", host_session_id="host-1")
        self.ann = world.agent("ann", observer=self.ann_process)
        self.bob = world.agent("bob", observer=self.machine.start())
        self.task_id = self.hold(self.ann)

    def hold(self, agent: Workspace) -> str:
        agent.claim.acquire(files=["src/a.py", "src/b.py"])
        task: str = agent.task.dispatch(title="parse").task.task_id
        agent.task.start(task_id=task)
        agent.channel.join(channel_id="side")
        return task

    def pass_time(self, seconds: float, *, machines: tuple[FakeMachine, ...] = ()) -> None:
        """Time passes on the clock and on every machine; everybody looks each ten seconds."""
        for _ in range(int(seconds / 10)):
            self.world.clock.advance(10)
            for machine in {self.machine, *machines}:
                machine.pace_ms += 10_000
            self.bob.agent.list()


@pytest.fixture
def town(world: World) -> Town:
    return Town(world)


def present(town: Town) -> list[str]:
    return [row[0] for row in rows(town.world.path, "SELECT agent_id FROM comity_presence ORDER BY 1")]


def holdings(town: Town, agent_id: str) -> tuple[int, int, int]:
    """Unreleased claims, unfinished tasks and memberships."""
    path = town.world.path
    ((claims,),) = rows(
        path, "SELECT count(*) FROM macp_ext_file_claims WHERE agent_id = ? AND released_at IS NULL", agent_id
    )
    ((tasks,),) = rows(path, "SELECT count(*) FROM macp_ext_tasks WHERE assigned_agent_id = ?", agent_id)
    ((members,),) = rows(path, "SELECT count(*) FROM channel_members WHERE agent_id = ?", agent_id)
    return claims, tasks, members


def test_a_session_reports_where_it_runs(town: Town) -> None:
    (row,) = dicts(town.world.path, "SELECT * FROM comity_presence WHERE agent_id = 'ann'")
    own, now_ms = town.ann_process.presence, town.world.clock.ms
    assert row == {
        "session_id": "ann-session-1",
        "agent_id": "ann",
        "registered_at": town.world.clock.now().iso,
        "pid": own.pid,
        "process_started": own.started,
        "boot_id": "boot-1",
        "pid_namespace": "pid:[1]",
        "host_name": "machine",
        "program": "claude",
        "host_session_id": "host-1",
        "worktree": "/repo",
        "last_seen_ms": now_ms,
        "lease_until_ms": now_ms + LEASE_S * 1000,
    }


def test_a_dead_agent_is_reaped_in_one_transaction(town: Town) -> None:
    town.machine.kill(town.ann_process)
    before = len(audit(town.world.path))
    (gone,) = town.bob.agent.reap().agents
    assert (gone.agent_id, gone.session_id) == ("ann", "ann-session-1")
    assert gone.how == f"process {town.ann_process.pid} is gone"
    assert gone.released_files == ["src/a.py", "src/b.py"]
    assert gone.returned_task_ids == [town.task_id]
    assert holdings(town, "ann") == (0, 0, 0)
    assert present(town) == ["bob"]
    (task,) = dicts(town.world.path, "SELECT * FROM macp_ext_tasks")
    assert (task["status"], task["assigned_session_id"]) == ("pending", None)
    note = f"ann is gone: process {town.ann_process.pid} is gone"
    assert note in json.dumps(dicts(town.world.path, "SELECT * FROM comity_task_details")) + str(task["reason_text"])
    (claim, _) = dicts(town.world.path, "SELECT * FROM macp_ext_file_claims ORDER BY file_path")
    assert claim["release_reason"] == "reaped"
    (session,) = dicts(town.world.path, "SELECT state FROM sessions WHERE agent_id = 'ann'")
    assert session == {"state": "deregistered"}
    (state,) = dicts(town.world.path, "SELECT status, reason FROM macp_ext_agent_state WHERE agent_id = 'ann'")
    assert state == {"status": "inactive", "reason": note}
    events = audit(town.world.path)[before:]
    kinds = [event["event_type"] for event in events]
    assert kinds[-2:] == ["agent.reaped", "session.deregister"]
    reaped = json.loads(events[-2]["metadata_json"])
    assert reaped["reason"] == gone.how
    assert reaped["reaped_by"] == "bob"
    assert json.loads(events[-1]["metadata_json"])["reason"] == f"reaped: {gone.how}"
    check(town.world.path)


def test_reaping_twice_changes_nothing(town: Town) -> None:
    town.machine.kill(town.ann_process)
    assert len(town.bob.agent.reap().agents) == 1
    before = dump(town.world.path)
    assert town.bob.agent.reap() == ([], False)
    assert dump(town.world.path) == before


def test_where_everybody_lives_nothing_is_written(town: Town) -> None:
    town.world.clock.advance(10**6)  # however long they were silent
    before = dump(town.world.path)
    assert town.bob.agent.reap() == ([], False)
    assert dump(town.world.path) == before


def test_what_the_dead_held_is_free_and_mail_waits_for_its_return(town: Town) -> None:
    town.bob.message.send(destination_agent_id="ann", content="in hand")
    town.machine.kill(town.ann_process)
    town.bob.agent.reap()
    assert town.bob.claim.acquire(files=["src/a.py"]).claims[0].agent_id == "bob"
    assert town.bob.task.claim(task_id=town.task_id).task.assigned_agent_id == "bob"
    assert town.bob.message.broadcast(content="who is here?").recipient_agent_ids == []
    with pytest.raises(Problem) as refused:
        town.ann.message.poll()
    assert refused.value.reason == "MACP_ERR_SESSION_UNKNOWN"
    again = town.world.agent("ann", observer=town.machine.start())
    assert [one.content for one in again.message.poll().deliveries] == ["in hand"]
    assert holdings(town, "ann") == (0, 0, 1)


@pytest.mark.parametrize("how", ["zombie", "pid used anew"])
def test_other_ways_to_be_dead(town: Town, how: str) -> None:
    if how == "zombie":
        town.machine.end(town.ann_process)
    else:
        town.machine.kill(town.ann_process)
        cid = town.world.agent("cid", observer=town.machine.start(town.ann_process.pid))
        assert cid.agent.list().agents[-1].presence.state == "alive"  # type: ignore[union-attr]
    assert [one.agent_id for one in town.bob.agent.reap().agents] == ["ann"]


def elsewhere(**facts: str) -> FakeMachine:
    return FakeMachine("other", **{"boot_id": "boot-1", "namespace": "pid:[1]", **facts})


OUT_OF_SIGHT = {
    "another container": {"namespace": "pid:[2]"},
    "another boot": {"boot_id": "boot-0"},
    "no namespace known": {"namespace": ""},
}


@pytest.mark.parametrize("facts", OUT_OF_SIGHT.values(), ids=OUT_OF_SIGHT)
def test_out_of_sight_the_lease_decides(town: Town, facts: dict[str, str]) -> None:
    far = elsewhere(**facts)
    cid_process = far.start(town.ann_process.pid)
    cid = town.world.agent("cid", observer=cid_process)
    cid.claim.acquire(files=["docs/x.md"])
    far.kill(cid_process)
    town.pass_time(LEASE_S - 10)
    assert town.bob.agent.reap().agents == []
    town.pass_time(10)
    (gone,) = town.bob.agent.reap().agents
    assert (gone.agent_id, gone.released_files) == ("cid", ["docs/x.md"])
    assert gone.how.startswith("not heard of since 2026-01-01T00:00:00")


def test_a_session_that_only_hooks_know_has_a_lease_and_no_pid(town: Town) -> None:
    cid = town.world.agent("cid", observer=ThisProcess(absent("hooks", "host-9", "/repo", LEASE_S)))
    cid.claim.acquire(files=["docs/x.md"])
    town.pass_time(LEASE_S - 10)
    shown = town.bob.agent.list().agents[-1].presence
    assert shown is not None
    assert (shown.state, shown.how, shown.pid) == ("leased", "its lease runs", None)
    assert (shown.program, shown.host_session_id, shown.worktree) == ("hooks", "host-9", "/repo")
    assert cid.session.renew().renewed
    town.pass_time(LEASE_S - 10)
    assert town.bob.agent.reap().agents == []
    town.pass_time(10)
    assert [(one.agent_id, one.released_files) for one in town.bob.agent.reap().agents] == [("cid", ["docs/x.md"])]


def test_a_lease_that_is_renewed_does_not_lapse(town: Town) -> None:
    far = elsewhere(namespace="pid:[2]")
    cid = town.world.agent("cid", observer=far.start())
    for _ in range(20):
        town.pass_time(LEASE_S / 4)
        assert cid.session.renew().renewed
        assert town.bob.agent.reap().agents == []


@pytest.mark.parametrize("jump_s", [3600, -3600], ids=["ahead", "back"])
def test_a_jump_of_the_clock_kills_nobody(town: Town, jump_s: int) -> None:
    """A suspended machine looks the same: the clock jumped, and nobody had a chance to renew."""
    far = elsewhere(namespace="pid:[2]")
    cid = town.world.agent("cid", observer=far.start())
    town.pass_time(LEASE_S / 4)
    cid.session.renew()
    town.world.clock.advance(jump_s)
    assert town.bob.agent.reap().agents == []
    town.pass_time(LEASE_S / 4)
    assert town.bob.agent.reap().agents == []
    cid.session.renew()
    town.pass_time(LEASE_S / 2)
    assert town.bob.agent.reap().agents == []


def test_whoever_just_came_waits_before_it_believes_a_lapse(town: Town) -> None:
    far = elsewhere(namespace="pid:[2]")
    town.world.agent("cid", observer=far.start())
    town.world.clock.advance(10_000)
    late = town.world.agent("dan", observer=town.machine.start())
    assert late.agent.reap().agents == []
    states = {one.agent_id: one.presence.state for one in late.agent.list().agents if one.presence}
    assert states == {"ann": "alive", "bob": "alive", "cid": "lapsed", "dan": "alive"}
    reaped: list[ReapedAgent] = []
    for _ in range(int(LEASE_S / 20)):
        town.world.clock.advance(10)
        town.machine.pace_ms += 10_000
        reaped += late.agent.reap().agents
    assert [one.agent_id for one in reaped] == ["cid"]


def test_agents_that_report_nothing_are_never_reaped(town: Town) -> None:
    original = Original(town.world.path, "old", "old-1", town.world.clock)
    original.register()
    original.join("main")
    town.world.agent("quiet")
    town.pass_time(1000)
    town.world.clock.advance(10**7)
    assert town.bob.agent.reap().agents == []
    shown = {one.agent_id: one.presence for one in town.bob.agent.list().agents}
    assert shown["old"] is None
    assert shown["quiet"] is None
    original.close()


@pytest.mark.parametrize("session_id", ["ann-2", "ann-session-1"])
def test_an_original_that_takes_an_agent_over_is_not_judged_by_its_old_process(town: Town, session_id: str) -> None:
    """The row of presence follows the session's id by its foreign key; the time of registration tells the truth."""
    town.ann.session.end()
    again = town.machine.start()
    town.world.agent("ann", observer=again, session_id="ann-session-1")
    town.world.clock.advance(1)
    original = Original(town.world.path, "ann", session_id, town.world.clock)
    rows(town.world.path, "DELETE FROM macp_ext_file_claims")  # they would lock the original out
    original.register()
    town.machine.kill(again)
    assert town.bob.agent.reap().agents == []
    assert town.bob.agent.list().agents[0].presence is None
    check(town.world.path)
    original.close()


def test_a_new_process_of_the_same_agent_takes_the_presence_over(town: Town) -> None:
    fresh = town.machine.start()
    again = town.world.agent("ann", observer=fresh)
    assert not town.ann.session.renew().renewed
    town.machine.kill(town.ann_process)
    assert town.bob.agent.reap().agents == []
    assert rows(town.world.path, "SELECT pid FROM comity_presence WHERE agent_id = 'ann'") == [(fresh.pid,)]
    assert holdings(town, "ann") == (2, 1, 1)
    town.machine.kill(fresh)
    (gone,) = town.bob.agent.reap().agents
    assert gone.session_id == again.actor.session_id
    assert holdings(town, "ann") == (0, 0, 0)


def test_nobody_reaps_itself(town: Town) -> None:
    town.machine.kill(town.ann_process)
    assert town.ann.agent.reap().agents == []


def test_many_dead_go_in_several_transactions(town: Town) -> None:
    crowd = [town.machine.start() for _ in range(45)]
    for number, process in enumerate(crowd):
        town.world.agent(f"x{number:02}", observer=process)
        town.machine.kill(process)
    first, second, third = (town.bob.agent.reap() for _ in range(3))
    assert [len(one.agents) for one in (first, second, third)] == [20, 20, 5]
    assert [one.more for one in (first, second, third)] == [True, True, False]
    assert present(town) == ["ann", "bob"]


def test_a_renewal_writes_no_event_and_tells_the_program(town: Town) -> None:
    before = audit(town.world.path)
    town.world.clock.advance(5)
    town.ann_process.introduce("claude-code")
    assert town.ann.session.renew().renewed
    assert audit(town.world.path) == before
    (row,) = dicts(town.world.path, "SELECT * FROM comity_presence WHERE agent_id = 'ann'")
    assert (row["program"], row["last_seen_ms"]) == ("claude-code", town.world.clock.ms)
    town.ann.session.end()
    assert not town.ann.session.renew().renewed
    assert present(town) == ["bob"]


def test_the_list_says_what_is_known_and_how(town: Town) -> None:
    town.machine.kill(town.ann_process)
    ann, bob = town.bob.agent.list().agents
    assert ann.presence is not None
    assert bob.presence is not None
    assert ann.presence._asdict() == {
        "state": "dead",
        "how": f"process {town.ann_process.pid} is gone",
        "last_seen": "2026-01-01T00:00:00.000Z",
        "program": "claude",
        "machine": "machine",
        "pid": town.ann_process.pid,
        "worktree": "/repo",
        "host_session_id": "host-1",
        "hooks": True,
        "doubles": (),
    }
    assert bob.presence.state == "alive"


def test_a_presence_follows_a_session_that_is_removed(town: Town) -> None:
    town.ann.session.end()
    town.world.agent("ann", observer=town.machine.start())
    assert present(town) == ["ann", "bob"]
    rows(town.world.path, "DELETE FROM channel_members WHERE agent_id = 'ann'")
    rows(town.world.path, "DELETE FROM sessions WHERE agent_id = 'ann'")
    assert present(town) == ["bob"]
    check(town.world.path)


def test_malformed_rows_of_presence_hurt_nobody(town: Town) -> None:
    values: dict[str, Any] = {"pid": "seven", "last_seen_ms": 0, "lease_until_ms": 0}
    rows(
        town.world.path,
        "UPDATE comity_presence SET pid = :pid, last_seen_ms = :last_seen_ms, lease_until_ms = :lease_until_ms"
        " WHERE agent_id = 'bob'",
        **values,
    )
    assert town.ann.agent.reap().agents == []
