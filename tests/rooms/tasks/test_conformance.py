"""Tasks as the protocol has them (reference sections 4.8 and 5.4), and what Comity adds."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Problem, Workspace
from comity.kernel.ids import TimeOrderedIds
from comity.kernel.record import to_json
from comity.kernel.scope import Scope
from comity.rooms.tasks import transitions
from comity.rooms.tasks.queue import effective_level
from comity.testing import World
from tests.wire_format import audit, check, rows

TASK = [
    *("taskId", "title", "description", "profileSlug", "priority", "status", "goalId", "parentTaskId"),
    *("dispatcherAgentId", "assignedAgentId", "result", "reason", "createdAt", "updatedAt", "archivedAt"),
]
OWN = ["number", "revision", "level"]
DAY_S = 86_400


@pytest.fixture
def ann(world: World) -> Workspace:
    return world.agent("ann")


@pytest.fixture
def bob(world: World, ann: Workspace) -> Workspace:
    return world.agent("bob")


def reason(workspace: Workspace, operation: str, **arguments: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        workspace.call(operation, arguments)
    return caught.value


def profile(world: World, slug: str, *agents: str) -> None:
    rows(world.path, "INSERT INTO macp_ext_profiles (slug, name, role, author_agent_id, created_at, updated_at)"
         " VALUES (?, 'p', 'r', 'ann', '', '')", slug)  # fmt: skip
    for agent_id in agents:
        rows(world.path, "UPDATE macp_ext_agent_state SET profile_slug = ? WHERE agent_id = ?", slug, agent_id)


def test_keys_and_their_order(world: World, ann: Workspace) -> None:
    made = to_json(ann.task.dispatch(title="  x\ufeff "))
    assert list(made) == ["task"]
    assert list(made["task"]) == [*TASK, *OWN]
    assert made["task"]["title"] == "x"
    assert (made["task"]["description"], made["task"]["priority"], made["task"]["result"]) == ("", "P2", None)
    assert list(to_json(ann.task.get(task_id="task-001"))) == ["task", "subtasks", "goalChain"]
    assert list(to_json(ann.task.list())) == ["tasks"]
    assert to_json(ann.task.archive()) == {"archivedCount": 0}
    assert list(to_json(ann.task.claim(task_id="task-001"))["task"]) == [*TASK, *OWN]


@pytest.mark.parametrize(
    ("given", "stored", "level"),
    [("P0", "P0", 1), ("P3", "P3", 4), (1, "P0", 1), (2, "P1", 2), (3, "P2", 3), (4, "P3", 4), (5, "P3", 5)],
)
def test_priorities(ann: Workspace, given: Any, stored: str, level: int) -> None:
    task = ann.task.dispatch(title="x", priority=given).task
    assert (task.priority, task.level) == (stored, level)


def test_what_a_dispatch_names_must_exist(world: World, ann: Workspace) -> None:
    assert reason(ann, "task.dispatch", title="x", profile_slug="ghost", goal_id="g").reason == "profile.unknown"
    assert reason(ann, "task.dispatch", title="x", goal_id="g", parent_task_id="t").reason == "goal.unknown"
    assert reason(ann, "task.dispatch", title="x", parent_task_id="t").reason == "task.unknown"
    assert reason(ann, "task.dispatch", title=" \ufeff").reason == "task.blank_title"
    assert reason(ann, "task.dispatch", title="x", depends_on=["task-001"]).reason == "task.unknown"
    assert reason(ann, "task.dispatch", title="x", priority=6).reason == "argument.invalid"
    assert rows(world.path, "SELECT * FROM macp_ext_tasks") == []


def test_lists_are_ordered_and_filtered_as_the_protocol_does(world: World, ann: Workspace, bob: Workspace) -> None:
    profile(world, "api", "bob")
    goal = ann.goal.create(type="mission", title="g").goal.goal_id
    for place, (priority, slug, of) in enumerate(
        [("P2", None, goal), ("P0", "api", None), ("P2", "api", goal), ("P1", None, None), ("P3", None, goal)]
    ):
        world.clock.advance(1)
        ann.task.dispatch(title=str(place), priority=priority, profile_slug=slug, goal_id=of)  # type: ignore[arg-type]
    bob.task.claim(task_id="task-002")
    bob.task.start(task_id="task-003")
    bob.task.complete(task_id="task-003")

    def titles(**filters: Any) -> str:
        return "".join(task.title for task in ann.task.list(**filters).tasks)

    assert titles() == "13204"
    assert titles(limit=2) == "13"
    assert titles(status="pending") == "304"
    assert titles(status="done") == titles(status="done", assigned_agent_id="bob") == "2"
    assert titles(assigned_agent_id="bob") == titles(profile_slug=" API ") == "12"
    assert titles(assigned_agent_id="bob", status="accepted") == titles(profile_slug="api", priority="P0") == "1"
    assert titles(goal_id=goal) == "204"
    assert titles(goal_id=goal, priority="P2") == "20"
    assert titles(goal_id=goal, status="pending", limit=1) == "0"
    assert titles(priority="P2") == "20"
    assert titles(goal_id=goal, status="done", profile_slug="api", assigned_agent_id="bob") == "2"
    assert ann.task.archive(goal_id=goal).archived_count == 1
    assert titles() == "1304"
    assert ann.task.get(task_id="task-003").task.archived_at == world.clock.now().iso
    assert ann.task.archive(goal_id=goal).archived_count == 0
    (event,) = audit(world.path, "task.archived")
    assert event["agent_id"] == "ann"


def test_a_task_with_its_relatives(world: World, ann: Workspace) -> None:
    top = ann.goal.create(type="mission", title="top").goal.goal_id
    low = ann.goal.create(type="agent_goal", title="low", parent_goal_id=top).goal.goal_id
    ann.task.dispatch(title="parent", goal_id=low)
    for title in ("a", "b"):
        world.clock.advance(1)
        ann.task.dispatch(title=title, parent_task_id="task-001")
    ann.task.cancel(task_id="task-002")
    ann.task.archive(status="cancelled")
    assert ann.task.get(task_id="task-001").subtasks == []
    view = ann.task.get(task_id="task-001", include_subtasks=True)
    assert [task.title for task in view.subtasks] == ["a", "b"]
    assert [goal.title for goal in view.goal_chain] == ["top", "low"]


def test_a_goal_that_is_its_own_ancestor_does_not_hang_a_task(world: World, ann: Workspace) -> None:
    one = ann.goal.create(type="mission", title="one").goal.goal_id
    two = ann.goal.create(type="mission", title="two", parent_goal_id=one).goal.goal_id
    rows(world.path, "UPDATE macp_ext_goals SET parent_goal_id = ? WHERE goal_id = ?", two, one)
    ann.task.dispatch(title="x", goal_id=two)
    view = ann.task.get(task_id="task-001")
    assert [goal.title for goal in view.goal_chain] == ["one", "two"]
    assert view.goal_cycle == tuple(sorted((one, two)))


def test_a_stale_revision_is_refused_and_names_the_present_one(ann: Workspace, bob: Workspace) -> None:
    seen = ann.task.dispatch(title="x").task
    assert seen.revision == 1
    bob.task.start(task_id=seen.task_id, expected_revision=1)
    for operation in ("claim", "start", "complete", "block", "cancel", "release"):
        stale = reason(ann, f"task.{operation}", task_id=seen.task_id, expected_revision=1)
        assert (stale.reason, stale.status) == ("task.stale", 409)
        assert stale.data["revision"] == 2
        assert (stale.data["status"], stale.data["assignedAgentId"]) == ("in-progress", "bob")
    assert bob.task.complete(task_id="task-001", expected_revision=2).task.revision == 3


def test_the_losers_are_told_who_won(world: World, ann: Workspace) -> None:
    bob = world.agent("bob", name="Bob-the-builder")
    ann.task.dispatch(title="x")
    bob.task.claim(task_id="task-001")
    lost = reason(ann, "task.claim", task_id="task-001")
    assert lost.reason == "task.taken"
    assert "Bob-the-builder (bob)" in lost.message
    assert (lost.data["assignedAgentId"], lost.data["holderName"]) == ("bob", "Bob-the-builder")
    assert lost.data["since"] == world.clock.now().iso


def test_dependencies(world: World, ann: Workspace, bob: Workspace) -> None:
    for title in ("first", "second"):
        ann.task.dispatch(title=title)
    third = ann.task.dispatch(title="third", depends_on=["task-001", "task-002", "task-001"]).task
    assert [one.number for one in third.waiting_on] == ["task-001", "task-002"]
    for operation in ("task.claim", "task.start"):
        waiting = reason(bob, operation, task_id="task-003")
        assert waiting.reason == "task.waiting"
        assert [one["number"] for one in waiting.data["waitingOn"]] == ["task-001", "task-002"]  # type: ignore[attr-defined]
    assert [task.number for task in bob.task.ready().tasks] == ["task-001", "task-002"]
    bob.task.start(task_id="task-001")
    bob.task.complete(task_id="task-001")
    view = ann.task.get(task_id="task-003")
    assert [(one.number, one.status) for one in view.depends_on] == [("task-001", "done"), ("task-002", "pending")]
    cancelled = ann.task.cancel(task_id="task-002")
    assert [one.number for one in cancelled.dependents] == ["task-003"]
    assert [task.number for task in bob.task.ready().stuck] == ["task-003"]
    none = bob.task.next()
    assert none.task is None
    assert none.shortage is not None
    assert (none.shortage.pending, none.shortage.stuck) == (1, 1)
    assert reason(ann, "task.dispatch", title="x", depends_on=["task-002"]).reason == "task.dependency_cancelled"
    assert ann.task.depend(task_id="task-003", depends_on=["task-001"]).task.waiting_on == ()
    claimed = bob.task.next().task
    assert claimed is not None
    assert claimed.number == "task-003"


def test_dependencies_never_go_round(world: World, ann: Workspace) -> None:
    ann.task.dispatch(title="1")
    for place in range(2, 6):
        ann.task.dispatch(title=str(place), depends_on=[f"task-{place - 1:03}"])
    for first in ("task-005", "task-003", "task-002"):
        assert reason(ann, "task.depend", task_id="task-001", depends_on=[first]).reason == "task.cycle"
    path = reason(ann, "task.depend", task_id="task-001", depends_on=["task-003"]).message
    assert "task-003 waits for task-002 waits for task-001 waits for task-003" in path
    assert reason(ann, "task.depend", task_id="task-004", depends_on=["task-004"]).reason == "task.cycle"
    assert ann.task.get(task_id="task-005").depends_on[0].number == "task-004"


def test_only_those_concerned_change_what_a_held_task_waits_for(ann: Workspace, bob: Workspace, world: World) -> None:
    cid = world.agent("cid")
    for _ in range(2):
        ann.task.dispatch(title="x")
    bob.task.claim(task_id="task-002")
    assert reason(cid, "task.depend", task_id="task-002", depends_on=["task-001"]).reason == "task.not_yours"
    for workspace in (ann, bob):
        workspace.task.depend(task_id="task-002", depends_on=["task-001"])
    bob.task.start(task_id="task-002")  # what is begun may go on
    bob.task.complete(task_id="task-002")
    assert reason(bob, "task.depend", task_id="task-002", depends_on=[]).reason == "task.wrong_state"


def test_what_something_urgent_waits_for_comes_before_what_is_nice_to_have(ann: Workspace, bob: Workspace) -> None:
    schema = ann.task.dispatch(title="migrate the schema", priority="P3").task
    service = ann.task.dispatch(title="restart the service", priority=5, depends_on=[schema.task_id]).task
    outage = ann.task.dispatch(title="fix the outage", priority="P0", depends_on=[service.task_id]).task
    for number in range(5):
        ann.task.dispatch(title=f"nice to have {number}", priority="P2")
    ann.task.dispatch(title="urgent by itself", priority="P1")
    assert [task.title for task in bob.task.ready(limit=3).tasks] == [
        *("migrate the schema", "urgent by itself", "nice to have 0")
    ]
    order = []
    for _ in range(4):
        task = bob.task.next().task
        assert task is not None
        order.append((task.title, task.level))
        bob.task.complete(task_id=task.task_id)
    assert order == [
        *(("migrate the schema", 4), ("restart the service", 5), ("fix the outage", 1), ("urgent by itself", 2))
    ]
    assert outage.level == 1


def test_a_task_counts_as_much_as_what_waits_for_it_at_that_moment(world: World, ann: Workspace) -> None:
    low = ann.task.dispatch(title="low", priority="P3").task
    high = ann.task.dispatch(title="high", priority="P0").task
    ann.task.dispatch(title="middle", priority="P2")

    def first() -> str:
        return str(ann.task.ready(limit=1).tasks[0].title)

    assert first() == "high"
    ann.task.depend(task_id=high.task_id, depends_on=[low.task_id])
    assert first() == "low"
    ann.task.prioritize(task_id=high.task_id, level=5)
    assert first() == "middle"
    ann.task.prioritize(task_id=high.task_id, level=2)
    assert first() == "low"
    ann.task.prioritize(task_id=low.task_id, level=5)
    assert first() == "low"
    rows(world.path, "UPDATE macp_ext_tasks SET status = 'cancelled' WHERE task_id = ?", high.task_id)  # another hand
    assert first() == "middle"
    rows(world.path, "UPDATE macp_ext_tasks SET status = 'pending' WHERE task_id = ?", high.task_id)
    assert first() == "low"
    ann.task.depend(task_id=high.task_id, depends_on=[])
    assert first() == "high"


def test_a_circle_of_dependencies_that_another_hand_wrote_hangs_nothing(world: World, ann: Workspace) -> None:
    for _ in range(3):
        ann.task.dispatch(title="x")
    ids = [row[0] for row in rows(world.path, "SELECT task_id FROM comity_task_details ORDER BY number")]
    for one, other in ((0, 1), (1, 0)):
        rows(world.path, "INSERT INTO comity_task_dependencies VALUES (?, ?)", ids[one], ids[other])
    claimed = ann.task.next().task
    assert claimed is not None
    assert claimed.number == "task-003"
    assert ann.task.next().task is None
    rows(world.path, "UPDATE macp_ext_tasks SET priority = 'P0' WHERE task_id = ?", ids[0])
    assert ann.task.ready().tasks == []
    assert reason(ann, "task.depend", task_id="task-001", depends_on=["task-002"]).reason == "task.cycle"
    ann.task.depend(task_id="task-001", depends_on=[])
    assert ann.task.next().task is not None


def test_ready_tasks_come_by_level_and_rise_while_they_wait(world: World, ann: Workspace) -> None:
    for priority in ("P3", 5, "P2", "P1"):
        ann.task.dispatch(title=str(priority), priority=priority)
        world.clock.advance(1)
    assert [task.title for task in ann.task.ready().tasks] == ["P1", "P2", "P3", "5"]
    world.clock.advance(3 * DAY_S)
    for priority in ("P0", "P1"):
        world.clock.advance(1)
        ann.task.dispatch(title=f"new {priority}", priority=priority)  # type: ignore[arg-type]
    order = [task.title for task in ann.task.ready().tasks]
    assert order == ["new P0", "P3", "5", "P2", "P1", "new P1"]
    assert [task.title for task in ann.task.ready(limit=3).tasks] == order[:3]
    taken = []
    while (task := ann.task.next().task) is not None:
        taken.append(task.title)
    assert taken == order


@pytest.mark.parametrize(
    ("level", "waiting_s", "expected"),
    [
        (1, 9 * DAY_S, 1),
        (2, 9 * DAY_S, 2),
        (3, DAY_S - 1, 3),
        (3, DAY_S, 2),
        (5, 2 * DAY_S, 3),
        (5, 99 * DAY_S, 2),
        (4, None, 4),
        (4, -DAY_S * 9, 4),
    ],
)
def test_the_boost(level: int, waiting_s: int | None, expected: int) -> None:
    assert effective_level(level, waiting_s) == expected


def test_the_next_task_is_one_for_my_profile(world: World, ann: Workspace, bob: Workspace) -> None:
    profile(world, "api", "bob")
    ann.task.dispatch(title="for api", profile_slug="api", priority="P0")
    none = ann.task.next()
    assert none.task is None
    assert none.why == "None of 1 pending can be had: 1 for another profile than yours (none)."
    assert ann.task.ready(profile_slug="API").tasks[0].title == "for api"
    assert reason(ann, "task.claim", task_id="task-001").reason == "task.other_profile"
    assert bob.task.next().task is not None
    assert ann.task.next().why == "No task is pending."


def test_leases(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.task.dispatch(title="x")
    ann.task.claim(task_id="task-001", lease_s=60)
    world.clock.advance(50)
    assert reason(bob, "task.claim", task_id="task-001").reason == "task.taken"
    assert reason(ann, "task.claim", task_id="task-001").reason == "task.wrong_state"  # as the protocol has it
    renewed = ann.task.claim(task_id="task-001", lease_s=60).task
    assert renewed.status == "accepted"
    ann.task.start(task_id="task-001")
    world.clock.advance(59)
    assert bob.task.next().task is None
    world.clock.advance(1)
    task = bob.task.next(lease_s=5).task
    assert task is not None
    assert (task.assigned_agent_id, task.status) == ("bob", "accepted")
    assert task.handoff is not None
    assert task.handoff["from"] == "ann"
    assert reason(ann, "task.complete", task_id="task-001").reason == "task.not_yours"
    world.clock.advance(5)
    assert bob.task.complete(task_id="task-001").task.status == "done"  # nobody took it meanwhile
    world.clock.advance(999)
    assert ann.task.next().task is None


def test_what_a_leaving_agent_holds_returns_to_the_queue(world: World, ann: Workspace, bob: Workspace) -> None:
    for _ in range(4):
        ann.task.dispatch(title="x")
    bob.task.claim(task_id="task-001")
    bob.task.start(task_id="task-002")
    bob.task.block(task_id="task-002", reason="stuck")
    bob.task.start(task_id="task-003")
    bob.task.complete(task_id="task-003")
    ann.task.claim(task_id="task-004")
    with world.store.writing() as tx:
        scope = scope_of(ann, tx, world)
        assert transitions.holder_of(scope, "task-001") == ("bob", bob.actor.session_id, "accepted", None)
        assert transitions.release_all(scope, "bob", "another session", "n") == []
        released = transitions.release_all(scope, "bob", bob.actor.session_id, "bob is gone")
        assert transitions.holder_of(scope, "task-001") is None
    assert [(task.number, task.status) for task in released] == [("task-001", "pending"), ("task-002", "pending")]
    tasks = {task.number: task for task in ann.task.list().tasks}
    assert [tasks[f"task-00{n}"].status for n in (1, 2, 3, 4)] == ["pending", "pending", "done", "accepted"]
    handoff = tasks["task-002"].handoff
    assert handoff is not None
    assert (handoff["summary"], handoff["reason"]) == ("bob is gone", "stuck")
    assert rows(world.path, "SELECT count(*) FROM macp_ext_tasks WHERE assigned_session_id = ?",
                bob.actor.session_id) == [(1,)]  # fmt: skip
    assert {event["agent_id"] for event in audit(world.path, "task.released")} == {"bob"}
    check(world.path)


def scope_of(workspace: Workspace, tx: Any, world: World) -> Scope:
    """A scope as the pipeline makes it."""
    return Scope(workspace.actor, world.clock.now(), tx, TimeOrderedIds())


def test_a_tasks_history_is_told_without_a_scan(world: World, ann: Workspace, bob: Workspace) -> None:
    for _ in range(2):
        ann.task.dispatch(title="x")
    bob.task.claim(task_id="task-002")
    bob.task.release(task_id="task-002", note="not mine")
    history = ann.task.history(task_id="task-002")
    assert [event.event_type for event in history.events] == ["task.dispatched", "task.claimed", "task.released"]
    assert [event.metadata["revision"] for event in history.events] == [1, 2, 3]
    assert history.events[-1].metadata["note"] == "not mine"
    first = ann.task.history(task_id="task-002", limit=1)
    rest = ann.task.history(task_id="task-002", after=first.cursor)
    assert [*first.events, *rest.events] == history.events
    assert ann.task.history(task_id="task-002", after=rest.cursor).cursor == rest.cursor
    assert reason(ann, "task.history", task_id="task-002", after="x").reason == "cursor.unknown"
    rows(world.path, "DELETE FROM audit_log")
    assert rows(world.path, "SELECT * FROM comity_event_subjects") == []
    assert ann.task.history(task_id="task-002").events == []


def test_archiving_is_one_event_about_all_of_them(world: World, ann: Workspace) -> None:
    for _ in range(3):
        ann.task.dispatch(title="x")
    for number in (1, 3):
        ann.task.cancel(task_id=f"task-00{number}")
    assert ann.task.archive(status="cancelled").archived_count == 2
    (event,) = audit(world.path, "task.archived")
    subjects = rows(world.path, "SELECT count(*) FROM comity_event_subjects WHERE audit_id = ?", event["id"])
    assert subjects == [(2,)]
    assert ann.task.history(task_id="task-003").events[-1].event_type == "task.archived"


@pytest.mark.parametrize("operation", ["get", "list", "ready", "next", "history", "archive", "dispatch", "depend"])
def test_a_session_that_is_over_is_told_so(ann: Workspace, operation: str) -> None:
    needed = {"get": ("task_id",), "history": ("task_id",), "dispatch": ("title",), "depend": ("task_id",)}
    arguments: dict[str, Any] = dict.fromkeys(needed.get(operation, ()), "x")
    if operation == "depend":
        arguments["depends_on"] = []
    ann.session.end()
    assert reason(ann, f"task.{operation}", **arguments).reason == "MACP_ERR_SESSION_UNKNOWN"


def test_looking_changes_nothing(world: World, ann: Workspace) -> None:
    ann.task.dispatch(title="x")
    ann.task.claim(task_id="task-001", lease_s=1)
    world.clock.advance(5)
    before = rows(world.path, "SELECT * FROM macp_ext_tasks"), rows(world.path, "SELECT * FROM comity_task_details")
    ann.task.list()
    ann.task.ready()
    ann.task.get(task_id="task-001")
    ann.task.history(task_id="task-001")
    after = rows(world.path, "SELECT * FROM macp_ext_tasks"), rows(world.path, "SELECT * FROM comity_task_details")
    assert before == after
