"""Sleeping, leaving and being deleted: rows and answers of the protocol (reference 4.5), and what Comity adds."""

from __future__ import annotations

import pytest

from comity import Problem, Workspace
from comity.kernel.record import to_json
from comity.testing import FakeMachine, World
from tests.original import Original, ProtocolError
from tests.original_claims import claim_files, list_locks
from tests.original_lifecycle import depart, list_agents, sleep
from tests.wire_format import audit, check, dicts, dump, rows

WAYS = {"agent.deactivate": ("inactive", "deactivated"), "agent.delete": ("deleted", "deleted")}


def holding(world: World) -> tuple[Workspace, Workspace, str]:
    """Ann with two claims, one of them lapsed, a task in progress, one done, one blocked; bob; the task in progress."""
    ann, bob = world.agent("ann", observer=FakeMachine().start()), world.agent("bob")
    ann.claim.acquire(files=["old.py"], ttl_seconds=1)
    world.clock.advance(5)
    ann.claim.acquire(files=["src/a.py"])
    ids = [ann.task.dispatch(title=title).task.task_id for title in ("begun", "done", "blocked")]
    for task_id in ids:
        ann.task.start(task_id=task_id)
    ann.task.complete(task_id=ids[1], result="fine")
    ann.task.block(task_id=ids[2], reason="no key")
    return ann, bob, ids[0]


@pytest.mark.parametrize("way", WAYS)
def test_leaving_frees_everything(world: World, way: str) -> None:
    ann, bob, begun = holding(world)
    status, word = WAYS[way]
    before = len(audit(world.path))
    left = to_json(ann.call(way, {"reason": "out of tokens"}))
    assert list(left.items())[:2] == [("agentId", "ann"), ("status", status)]
    assert "src/a.py" in left["releasedFiles"]
    assert begun in left["returnedTaskIds"]
    assert len(left["returnedTaskIds"]) == 2
    claims = dicts(world.path, "SELECT * FROM macp_ext_file_claims WHERE file_path = 'src/a.py'")
    assert [(claim["released_at"], claim["release_reason"]) for claim in claims] == [(world.clock.now().iso, word)]
    assert rows(world.path, "SELECT 1 FROM macp_ext_file_claims WHERE released_at IS NULL") == []
    assert rows(world.path, "SELECT * FROM channel_members WHERE agent_id = 'ann'") == []
    assert rows(world.path, "SELECT state FROM sessions WHERE agent_id = 'ann'") == [("deregistered",)]
    (state,) = dicts(world.path, "SELECT * FROM macp_ext_agent_state WHERE agent_id = 'ann'")
    assert (state["status"], state["reason"], state["changed_at"]) == (status, "out of tokens", world.clock.now().iso)
    assert rows(world.path, "SELECT status FROM macp_ext_tasks ORDER BY title") == [
        ("pending",),
        ("pending",),
        ("done",),
    ]
    assert rows(world.path, "SELECT * FROM comity_presence") == []
    (ended,) = [row for row in audit(world.path)[before:] if row["event_type"] == "session.deregister"]
    assert (ended["agent_id"], ended["reason_code"]) == ("ann", "MACP_OK")
    assert [one.agent_id for one in bob.agent.list().agents] == ["bob"]
    check(world.path)


@pytest.mark.parametrize("way", [*WAYS, "agent.sleep"])
def test_whoever_has_no_session_is_told(world: World, way: str) -> None:
    ann = world.agent("ann")
    ann.session.end()
    before = dump(world.path)
    with pytest.raises(Problem) as refused:
        ann.call(way, {})
    assert refused.value.reason == "MACP_ERR_SESSION_UNKNOWN"
    assert refused.value.data == {"agentId": "ann", "sessionId": "ann-session-1"}
    assert dump(world.path) == before


@pytest.mark.parametrize("way", WAYS)
def test_without_a_reason_none_is_stored_and_registering_brings_back(world: World, way: str) -> None:
    ann = world.agent("ann")
    left = to_json(ann.call(way, {}))
    assert left == {"agentId": "ann", "status": WAYS[way][0]}
    assert rows(world.path, "SELECT reason FROM macp_ext_agent_state") == [(None,)]
    assert ann.session.start().status == "active"
    assert [one.status for one in ann.agent.list().agents] == ["active"]


def test_sleeping_changes_the_state_alone(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.claim.acquire(files=["a"])
    assert to_json(ann.agent.sleep(reason="waiting")) == {"agentId": "ann", "status": "sleeping"}
    assert rows(world.path, "SELECT status, reason FROM macp_ext_agent_state WHERE agent_id = 'ann'") == [
        ("sleeping", "waiting")
    ]
    assert [one.status for one in bob.agent.list().agents] == ["sleeping", "active"]
    assert bob.message.broadcast(content="still reaches you").recipient_agent_ids == ["ann"]
    assert len(ann.claim.list().claims) == 1
    assert len(audit(world.path, "agent.slept")) == 1
    assert ann.session.start().status == "active"


def test_the_profile_stays_with_a_leaving_agent(world: World) -> None:
    ann = world.agent("ann")
    ann.profile.register(slug="writer", name="Writer", role="writes")
    ann.session.start(profile_slug="writer")
    ann.agent.deactivate()
    assert rows(world.path, "SELECT status, profile_slug FROM macp_ext_agent_state") == [("inactive", "writer")]


def test_the_end_of_a_session_frees_what_it_held(world: World) -> None:
    ann, bob, begun = holding(world)
    ended = ann.session.end()
    assert begun in ended.returned_task_ids
    assert "src/a.py" in ended.released_files
    assert bob.task.claim(task_id=begun).task.assigned_agent_id == "bob"
    assert bob.claim.acquire(files=["src/a.py"]).claims
    before = dump(world.path)
    assert to_json(ann.session.end()) == {"agentId": "ann", "sessionId": "ann-session-1"}
    assert dump(world.path) == before


def test_an_older_process_leaves_the_newer_ones_things_alone(world: World) -> None:
    old = world.agent("ann")
    new = world.agent("ann")
    new.claim.acquire(files=["a"])
    before = dump(world.path)
    old.session.end(reason="SIGTERM")
    with pytest.raises(Problem):
        old.agent.deactivate()
    assert dump(world.path) == before


def test_both_ways_an_original_sees_who_sleeps_and_who_left(world: World) -> None:
    original = Original(world.path, "old", "old-1", world.clock)
    original.register()
    original.join("main")
    ann = world.agent("ann")
    ann.claim.acquire(files=["src/a.py"])
    assert [claim["filePath"] for claim in list_locks(original)] == ["src/a.py"]
    ann.agent.sleep(reason="rest")
    assert [(one["agentId"], one["status"]) for one in list_agents(original)] == [
        ("ann", "sleeping"),
        ("old", "active"),
    ]
    claim_files(original, ["src/b.py"])
    sleep(original, "rest")
    assert [one.status for one in ann.agent.list().agents] == ["sleeping", "sleeping"]
    ann.agent.delete()
    assert list_locks(original) != []
    assert [one["agentId"] for one in list_agents(original)] == ["old"]
    bob = world.agent("bob")
    depart(original, "deactivated", "inactive", "exit")
    with pytest.raises(ProtocolError):
        sleep(original)
    assert bob.claim.list().claims == []
    assert [one.agent_id for one in bob.agent.list().agents] == ["bob"]
    check(world.path)
    original.close()


@pytest.mark.parametrize(
    "arguments",
    [{"reason": 5}, {"reason": "x" * 2001}, {"reason": "a\0b"}, {"reasons": "x"}],
    ids=["kind", "length", "nul", "name"],
)
@pytest.mark.parametrize("way", [*WAYS, "agent.sleep", "session.end"])
def test_bad_arguments_change_nothing(world: World, way: str, arguments: dict[str, object]) -> None:
    ann = world.agent("ann")
    before = dump(world.path)
    with pytest.raises(Problem) as refused:
        ann.call(way, arguments)
    assert refused.value.reason in ("argument.invalid", "argument.unknown")
    assert dump(world.path) == before
