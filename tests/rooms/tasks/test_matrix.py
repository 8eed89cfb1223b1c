"""The whole transition matrix, for the holder, another agent and the dispatcher: what happens, and what is told.

The table is that of the protocol (reference section 4.8), written out; the same is then played by a peer that is as the
original, and both must allow and refuse alike, by the same check.
"""

from __future__ import annotations

from typing import Any

import pytest

from comity import Problem, Workspace
from comity.testing import World
from tests.original_tasks import Refusal, joined
from tests.wire_format import check, dicts, rows

STATES = ("pending", "accepted", "in-progress", "blocked", "done", "cancelled")
HEARD = ("claim", "start", "complete", "block", "cancel")
ROLES = ("own", "other", "dispatcher", "free")  # whose the task is, seen from the caller: free belongs to nobody

ALLOWED = {
    "claim": {"pending": "accepted"},
    "start": {"pending": "in-progress", "accepted": "in-progress", "blocked": "in-progress"},
    "complete": {"accepted": "done", "in-progress": "done", "blocked": "done"},
    "block": {"accepted": "blocked", "in-progress": "blocked"},
    "cancel": dict.fromkeys(("pending", "accepted", "in-progress", "blocked"), "cancelled"),
    "release": dict.fromkeys(("accepted", "in-progress", "blocked"), "pending"),
}


def wanted(heard: str, state: str, role: str) -> str:
    """The next state, or the reason of the refusal."""
    to = ALLOWED[heard].get(state)
    if heard in ("claim", "start"):
        if role in ("other", "dispatcher"):
            return "task.taken"
        return to or "task.wrong_state"
    if heard in ("complete", "block"):
        if role != "own":
            return "task.not_yours"
        return to or "task.wrong_state"
    if to is None:
        return "task.wrong_state"
    if role == "other" or (heard == "release" and role == "free"):
        return "task.not_yours"
    return to


def attempt(workspace: Workspace, operation: str, **arguments: Any) -> tuple[Any, Problem | None]:
    """What it answered, and how it refused: one of them."""
    try:
        return workspace.call(operation, arguments), None
    except Problem as problem:
        return None, problem


def put(world: World, state: str, role: str) -> str:
    """A task in this state; the caller is ann, the others are bob and cid."""
    holder = {"own": "ann", "other": "bob", "dispatcher": "bob", "free": None}[role]
    dispatcher = "ann" if role == "dispatcher" else "cid"
    session = rows(world.path, "SELECT session_id FROM sessions WHERE agent_id = ?", holder or "")
    rows(
        world.path,
        "INSERT INTO macp_ext_tasks (task_id, title, status, dispatcher_agent_id, assigned_agent_id,"
        " assigned_session_id, result_text, reason_text, created_at, updated_at)"
        " VALUES ('t', 't', ?, ?, ?, ?, 'old result', 'old reason', '2026', '2026')",
        *(state, dispatcher, holder, session[0][0] if session else None),
    )
    return "t"


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("heard", [*HEARD, "release"])
@pytest.mark.parametrize("state", STATES)
def test_every_transition(world: World, state: str, heard: str, role: str) -> None:
    ann, *_ = [world.agent(name) for name in ("ann", "bob", "cid")]
    put(world, state, role)
    (before,) = dicts(world.path, "SELECT * FROM macp_ext_tasks")
    audited = rows(world.path, "SELECT count(*) FROM audit_log")
    text = {"complete": {"result": "new"}, "block": {"reason": "new"}, "cancel": {"reason": "new"}}.get(heard, {})
    expected = wanted(heard, state, role)
    done, refused = attempt(ann, f"task.{heard}", task_id="t", **text)
    if refused is not None:
        assert refused.reason == expected
        assert refused.hint
        assert (refused.data["status"], refused.data["assignedAgentId"]) == (state, before["assigned_agent_id"])
        assert dicts(world.path, "SELECT * FROM macp_ext_tasks") == [before]
        assert rows(world.path, "SELECT count(*) FROM audit_log") == audited
        return
    task = done.task
    assert task.status == expected
    (after,) = dicts(world.path, "SELECT * FROM macp_ext_tasks")
    changed: dict[str, Any] = {"status": expected, "updated_at": world.clock.now().iso}
    if heard in ("claim", "start"):
        changed |= {"assigned_agent_id": "ann", "assigned_session_id": ann.actor.session_id}
    if heard == "complete":
        changed |= {"result_text": "new"}
    if heard == "release":
        changed |= {"assigned_agent_id": None, "assigned_session_id": None}
    if heard != "claim":
        changed |= {"reason_text": "new" if heard in ("block", "cancel") else None}
    assert after == {**before, **changed}
    assert (task.assigned_agent_id, task.result, task.reason, task.revision) == (
        *(after["assigned_agent_id"], after["result_text"], after["reason_text"]),
        2,
    )
    check(world.path)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("heard", HEARD)
@pytest.mark.parametrize("state", STATES)
def test_the_original_allows_and_refuses_the_same(world: World, state: str, heard: str, role: str) -> None:
    for name in ("bob", "cid"):
        world.agent(name)
    peer = joined(world.path, "ann", world.clock)
    put(world, state, role)
    told: Any
    try:
        peer.do(heard, "t", "new")
        told = peer.get("t")["status"]
    except Refusal as refusal:
        told = {"assigned": ("task.taken", "task.not_yours"), "status": ("task.wrong_state",)}[refusal.args[0]]
    expected = wanted(heard, state, role)
    assert expected == told or expected in told
    peer.agent.close()


def test_a_task_in_an_unknown_state_can_only_be_cancelled(world: World) -> None:
    ann, *_ = [world.agent(name) for name in ("ann", "bob", "cid")]
    put(world, "paused?", "own")
    for heard in ("claim", "start", "complete", "block", "release"):
        with pytest.raises(Problem, match="wrong_state"):
            ann.call(f"task.{heard}", {"task_id": "t"})
    assert ann.task.cancel(task_id="t").task.status == "cancelled"


def test_checks_come_in_the_protocols_order(world: World) -> None:
    """Session, existence, assignee, profile, state."""
    ann, bob = world.agent("ann"), world.agent("bob")
    rows(world.path, "INSERT INTO macp_ext_profiles (slug, name, role, author_agent_id, created_at, updated_at)"
         " VALUES ('api', 'a', 'a', 'ann', '', '')")  # fmt: skip
    task = ann.task.dispatch(title="x", profile_slug=" API ").task
    assert task.profile_slug == "api"
    rows(world.path, "UPDATE macp_ext_tasks SET status = 'done', assigned_agent_id = 'bob'")

    def reason(operation: str, task_id: str, **more: Any) -> str:
        with pytest.raises(Problem) as caught:
            ann.call(operation, {"task_id": task_id, **more})
        return caught.value.reason

    assert reason("task.claim", "task-001") == "task.taken"
    rows(world.path, "UPDATE macp_ext_tasks SET assigned_agent_id = NULL")
    assert reason("task.claim", "task-001") == "task.other_profile"
    assert reason("task.complete", "task-001") == "task.not_yours"
    rows(world.path, "UPDATE macp_ext_agent_state SET profile_slug = ' Api ' WHERE agent_id = 'ann'")
    assert reason("task.claim", "task-001") == "task.wrong_state"
    assert reason("task.claim", "task-009") == "task.unknown"
    ann.session.end()
    assert reason("task.claim", "task-009") == "MACP_ERR_SESSION_UNKNOWN"
    assert bob.task.get(task_id="task-001").task.profile_slug == "api"
