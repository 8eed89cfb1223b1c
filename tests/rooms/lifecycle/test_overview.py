"""The workspace at a glance, what is checked of it, and what to do next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw

from comity import Workspace
from comity.rooms.tasks.model import NewTask
from comity.testing import FakeMachine, World
from tests.wire_format import rows

NOTES = "It is done and tested."


def state(agent: Workspace) -> tuple[str, list[str]]:
    told = agent.guide.next()
    assert agent.workspace.overview().next_steps == told.guidance[:2]
    assert all(step.reason for step in told.guidance)
    return told.current_state, [step.action for step in told.guidance]


def passed(agent: Workspace, *names: Any) -> dict[str, bool]:
    told = agent.workspace.check(assertions=list(names))
    failed = [one for one in told.assertions if not one.passed]
    assert told.all_passed == (not failed)
    assert told.fix_hint == (failed[0].fix_hint if failed else None)
    assert all((one.fix_hint is None) == one.passed for one in told.assertions)
    return {one.assertion: one.passed for one in told.assertions}


def test_an_agent_is_led_from_the_door_to_the_end_of_a_task(world: World) -> None:
    ann = world.agent("ann", start=False)
    usual = ["room_set", "joined", "task_claimed", "current_task_set"]
    assert state(ann) == ("not_joined", ["session.begin"])
    assert passed(ann) == dict(zip(usual, [True, False, False, False], strict=True))
    ann.session.begin()
    assert state(ann) == ("idle", ["task.add"])
    ann.task.add(title="x")
    assert state(ann) == ("ready", ["task.take_next"])
    assert passed(ann) == dict(zip(usual, [True, True, False, False], strict=True))
    ann.task.take_next()
    assert state(ann) == ("claimed", ["task.transition", "task.transition"])
    assert passed(ann) == dict(zip(usual, [True, True, True, False], strict=True))
    ann.task.transition(task_id="task-001", action="start")
    assert state(ann) == ("working", ["task.transition", "message.announce"])
    assert passed(ann) == dict.fromkeys(usual, True)
    ann.task.block(task_id="task-001")
    assert state(ann) == ("blocked", ["task.transition", "task.take_next"])
    ann.task.transition(task_id="task-001", action="done", notes=NOTES)
    world.agent("bob").message.announce(content="@ann well done")
    assert state(ann) == ("idle", ["message.poll", "task.add"])


def test_places_are_checked(world: World) -> None:
    names = ("worktree_active", "namespace_ready", "room_set")
    assert passed(world.agent("ann", worktree="/w"), *names) == dict.fromkeys(names, True)
    assert passed(world.agent("bob", channel=""), *names) == dict.fromkeys(names, False)


def test_a_glance_shows_who_does_what(world: World) -> None:
    machine = FakeMachine()
    ann, bob = world.agent("ann", name="Ann", observer=machine.start()), world.agent("bob", observer=machine.start())
    cid = world.agent("cid", start=False)
    ann.task.add_many(tasks=[NewTask(title, level=level) for title, level in (("a", 3), ("b", 1), ("c", 5), ("d", 2))])
    ann.task.start(task_id="task-001")
    bob.task.claim(task_id="task-003", lease_s=5)
    bob.task.start(task_id="task-004")
    bob.task.block(task_id="task-004")
    world.clock.advance(6)
    seen = cid.workspace.overview()
    assert seen.counts.agents == 2
    assert seen.counts.tasks == {"todo": 1, "claimed": 1, "in_progress": 1, "blocked": 1, "done": 0, "cancelled": 0}
    assert [(one.agent_id, one.name, one.status, one.current_task) for one in seen.agents] == [
        ("ann", "Ann", "busy", "task-001"),
        ("bob", "bob", "busy", "task-003"),
    ]
    assert [(one.number, one.state, one.level, one.assignee) for one in seen.tasks] == [
        ("task-004", "blocked", 2, "bob"),
        ("task-001", "in_progress", 3, "ann"),
        ("task-003", "claimed", 5, "bob"),
        ("task-002", "todo", 1, None),
    ]
    assert seen.you == ("cid", "cid", False, [])
    assert seen.attention == [
        "The lease of bob on task-003 is over; it is free to claim.",
        "task-004 is blocked, held by bob.",
    ]
    assert [one.number for one in bob.workspace.overview().you.current_tasks] == ["task-003", "task-004"]
    world.clock.advance(3600)
    assert [one.lapsed for one in cid.workspace.overview().agents] == [True, True]
    assert any(
        text.startswith("ann holds task-001 and was last heard of") for text in cid.workspace.overview().attention
    )


def test_a_glance_is_bounded(world: World) -> None:
    agents = [world.agent(f"agent-{place:02}") for place in range(45)]
    for part in range(3):
        agents[0].task.add_many(tasks=[NewTask(f"{part} {number}") for number in range(20)])
    for agent in agents[:35]:
        agent.task.take_next()
    seen = agents[0].workspace.overview()
    assert (seen.counts.agents, len(seen.agents), len(seen.tasks)) == (45, 40, 30)
    assert seen.counts.tasks["claimed"] == 35


def test_a_glance_reads_no_more_with_history(world: World) -> None:
    """Steps of SQLite's machine, counted: thousands of finished tasks, messages and agents add none."""
    steps = 0

    def step() -> bool:
        nonlocal steps
        steps += 1
        return False

    def hook(connection: apsw.Connection) -> None:
        connection.set_progress_handler(step, 1)

    agents = [world.agent(f"agent-{place:02}") for place in range(20)]
    for part in range(5):
        agents[0].task.add_many(tasks=[NewTask(f"{part} {number}") for number in range(20)])
    for agent in agents[:10]:
        agent.task.take_next()
        agent.message.announce(content="hello")

    def cost() -> int:
        nonlocal steps
        apsw.connection_hooks.append(hook)
        try:
            with World(world.path, clock=world.clock) as traced:
                reader = traced.agent("agent-00", session_id=agents[0].actor.session_id, start=False)
                reader.workspace.overview()
                steps = 0
                reader.workspace.overview()
                return steps
        finally:
            apsw.connection_hooks.remove(hook)

    rows(
        world.path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO macp_ext_tasks"
        " (task_id, title, status, dispatcher_agent_id, created_at, updated_at)"
        " SELECT 'old-' || i, 'x', 'done', 'agent-00', '2025', '2025' FROM n",
    )
    before = cost()
    for statement in (
        (
            " macp_ext_tasks (task_id, title, status, dispatcher_agent_id, created_at, updated_at)"
            " SELECT 'older-' || i, 'x', 'done', 'agent-00', '2024', '2024' FROM n"
        ),
        " agents SELECT 'gone-' || i, 'x', '2024', '2024' FROM n",
        " sessions SELECT 'gone-' || i, 'gone-' || i, '{}', '[]', '{}', 'deregistered', '2024' FROM n",
        (
            ' messages (delivery_id, message_id, channel_id, from_json, destination_type, "to", content,'
            " sequence_number, context_json, ack_json, timestamp, state, destination_agent_id)"
            " SELECT 'd' || i, 'm' || i, 'main', '{}', 'channel', 'main', 'x', i, '{}', '{}', '2024', 'acknowledged',"
            " 'agent-00' FROM n"
        ),
        (
            " audit_log (event_type, message_id, delivery_id, channel_id, timestamp)"
            " SELECT 'message.send', 'm' || i, 'd' || i, 'main', '2024' FROM n"
        ),
    ):
        numbers = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) INSERT INTO"
        rows(world.path, numbers + statement)
    assert cost() <= before * 1.05


def test_who_shares_a_checkout_is_led_to_one_of_its_own_and_home(world: World, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    machine, root = FakeMachine(), str(tmp_path)
    ann = world.agent("ann", root=root, observer=machine.start(worktree=root))
    ann.task.add(title="Parser")
    ann.task.claim(task_id="task-001")
    ann.task.start(task_id="task-001")
    assert state(ann)[1] == ["task.transition", "message.announce"], "she is alone"
    world.agent("bob", root=root, observer=machine.start(worktree=root))
    assert state(ann)[1] == ["worktree.create", "task.transition", "message.announce"]
    with world.store.writing() as tx:
        own = '{"branch":"ann/task-001"}'
        tx.run("tasks.set_worktree", task_id=ann.task.get(task_id="task-001").task.task_id, worktree=own)
    assert state(ann)[1] == ["radar.look", "task.transition", "message.announce"]
    ann.task.transition(task_id="task-001", action="done", notes=NOTES)
    assert state(ann)[1][0] == "integration.run"
    assert "ann/task-001" in ann.guide.next().guidance[0].reason
