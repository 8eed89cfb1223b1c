"""Goals as the protocol has them (reference sections 4.7 and 5.4), whole trees, and circles that other hands wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comity import Problem, Workspace
from comity.kernel.record import to_json
from comity.rooms.goals.model import MAX_DEPTH
from comity.rooms.goals.tree import cycles_of, rolled_up
from comity.testing import World
from tests.original_tasks import joined
from tests.sim.conftest import Fault
from tests.wire_format import audit, check, dicts, rows

GOAL = [
    *("goalId", "type", "title", "description", "status", "parentGoalId", "ownerAgentId", "createdByAgentId"),
    *("createdAt", "updatedAt", "progress"),
]
PROGRESS = ["totalTasks", "completedTasks", "completionRatio"]
ROLLED_UP = ["subtreeTotalTasks", "subtreeCompletedTasks", "subtreeCompletionRatio"]


@pytest.fixture
def ann(world: World) -> Workspace:
    return world.agent("ann")


def make(workspace: Workspace, title: str, parent: str | None = None) -> str:
    return workspace.goal.create(type="mission", title=title, parent_goal_id=parent).goal.goal_id


def reason(workspace: Workspace, operation: str, **arguments: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        workspace.call(operation, arguments)
    return caught.value


def chain(world: World, workspace: Workspace, length: int) -> list[str]:
    """Goals, each the parent of the next."""
    found: list[str] = []
    for place in range(length):
        found.append(make(workspace, str(place), found[-1] if found else None))
        world.clock.advance(0.001)
    return found


def test_keys_and_their_order(ann: Workspace) -> None:
    made = to_json(ann.goal.create(type="project_goal", title=" x ", owner_agent_id="ann"))
    goal = made["goal"]
    assert list(made) == ["goal"]
    assert list(goal) == GOAL
    assert list(goal["progress"]) == [*PROGRESS, *ROLLED_UP]
    assert (goal["type"], goal["title"], goal["description"], goal["status"]) == ("project_goal", "x", "", "active")
    assert (goal["ownerAgentId"], goal["parentGoalId"], goal["progress"]["completionRatio"]) == ("ann", None, 0)
    assert list(to_json(ann.goal.get(goal_id=goal["goalId"]))) == ["goal", "ancestry", "children"]
    assert list(to_json(ann.goal.list())) == ["goals"]
    (tree,) = to_json(ann.goal.cascade())["goals"]
    assert list(tree) == [*GOAL, "children"]


def test_what_is_refused(world: World, ann: Workspace) -> None:
    goal_id = make(ann, "x")
    create = {"type": "mission", "title": "x"}
    assert reason(ann, "goal.create", **create, parent_goal_id="g", owner_agent_id="ghost").reason == "goal.unknown"
    assert reason(ann, "goal.create", **create, owner_agent_id="ghost").reason == "agent.unknown"
    assert reason(ann, "goal.create", type="dream", title="x").reason == "argument.invalid"
    for operation, named in (("goal.create", {"type": "mission"}), ("goal.update", {"goal_id": goal_id})):
        assert reason(ann, operation, **named, title=" \ufeff\u00a0").reason == "goal.blank_title"
    for operation in ("goal.get", "goal.update", "goal.cascade"):
        assert reason(ann, operation, goal_id="ghost").reason == "goal.unknown"
    ann.session.end()
    for operation, arguments in (("create", create), ("list", {}), ("get", {"goal_id": goal_id}), ("cascade", {})):
        assert reason(ann, f"goal.{operation}", **arguments).reason == "MACP_ERR_SESSION_UNKNOWN"
    assert reason(ann, "goal.update", goal_id=goal_id).reason == "MACP_ERR_SESSION_UNKNOWN"
    assert rows(world.path, "SELECT count(*) FROM macp_ext_goals") == [(1,)]


def test_update_changes_what_is_given(world: World, ann: Workspace) -> None:
    goal_id = make(ann, "x")
    world.clock.advance(1)
    goal = ann.goal.update(goal_id=goal_id, title=" y ", description=" d ", status="paused").goal
    assert (goal.title, goal.description, goal.status) == ("y", " d ", "paused")
    assert goal.updated_at == world.clock.now().iso != goal.created_at
    assert ann.goal.update(goal_id=goal_id, description="").goal.title == "y"
    (created, *updated) = audit(world.path, "goal.%")
    assert (created["event_type"], created["agent_id"]) == ("goal.created", "ann")
    assert [event["event_type"] for event in updated] == ["goal.updated"] * 2
    assert rows(world.path, "SELECT DISTINCT kind, id FROM comity_event_subjects") == [("goal", goal_id)]


def test_lists_are_filtered_and_oldest_first(world: World, ann: Workspace) -> None:
    bob = world.agent("bob")
    first = make(ann, "first")
    world.clock.advance(1)
    second = bob.goal.create(type="agent_goal", title="second", owner_agent_id="bob").goal.goal_id
    bob.goal.update(goal_id=second, status="completed")

    def ids(**filters: Any) -> list[str]:
        return [goal.goal_id for goal in ann.goal.list(**filters).goals]

    assert ids() == [first, second]
    assert ids(type="agent_goal") == ids(status="completed") == ids(owner_agent_id="bob") == [second]
    assert ids(status="paused") == []
    page = ann.goal.list(limit=1)
    assert ([goal.goal_id for goal in page.goals], page.more) == ([first], True)


def test_the_cascade_is_the_whole_tree(world: World, ann: Workspace) -> None:
    ids = chain(world, ann, 5)
    other = make(ann, "other")
    trees = ann.goal.cascade().goals
    assert [tree.goal_id for tree in trees] == [ids[0], other]
    below = trees[0]
    for goal_id in ids[1:]:
        (below,) = below.children  # type: ignore[assignment]
        assert below.goal_id == goal_id
    assert below.children == ()
    (tree,) = ann.goal.cascade(goal_id=ids[3]).goals
    assert (tree.goal_id, [child.goal_id for child in tree.children]) == (ids[3], [ids[4]])
    view = ann.goal.get(goal_id=ids[2])
    assert [goal.goal_id for goal in view.ancestry] == ids[:2]
    assert [goal.goal_id for goal in view.children] == [ids[3]]


def test_progress_is_the_protocols_and_rolls_up_beside(world: World, ann: Workspace) -> None:
    top, low = chain(world, ann, 2)
    for goal_id in (top, low, low, low):
        ann.task.dispatch(title="x", goal_id=goal_id)
    for number in (2, 3):
        ann.task.start(task_id=f"task-00{number}")
        ann.task.complete(task_id=f"task-00{number}")
    ann.task.cancel(task_id="task-004")

    def progress(goal_id: str) -> list[Any]:
        return list(to_json(ann.goal.get(goal_id=goal_id).goal.progress).values())

    assert progress(low) == [3, 2, 2 / 3, 2, 2, 1]
    assert progress(top) == [1, 0, 0, 3, 2, 2 / 3]
    ann.task.archive()
    assert progress(low) == [1, 0, 0, 2, 2, 1]  # reference E-22: archiving lowers the protocol's figure only
    assert progress(top) == [1, 0, 0, 3, 2, 2 / 3]
    assert [goal.progress.subtree_total_tasks for goal in ann.goal.list().goals] == [3, 2]


def test_a_goal_moves_but_not_below_itself(world: World, ann: Workspace) -> None:
    ids = chain(world, ann, 4)
    for parent in ids:
        assert reason(ann, "goal.update", goal_id=ids[0], parent_goal_id=parent).reason == "goal.cycle"
    assert reason(ann, "goal.update", goal_id=ids[0], parent_goal_id="ghost").reason == "goal.unknown"
    assert ann.goal.update(goal_id=ids[3], parent_goal_id=ids[0]).goal.parent_goal_id == ids[0]
    assert ann.goal.update(goal_id=ids[2], parent_goal_id="").goal.parent_goal_id is None
    assert ann.goal.update(goal_id=ids[0], parent_goal_id=ids[2]).goal.parent_goal_id == ids[2]
    assert ann.goal.update(goal_id=ids[0], title="t").goal.parent_goal_id == ids[2]
    check(world.path)


def test_circles_that_another_hand_wrote_are_told_and_hang_nothing(world: World, ann: Workspace) -> None:
    ids = chain(world, ann, 3)
    hanging = make(ann, "below the circle", ids[1])
    own = make(ann, "its own parent")
    free = make(ann, "free")
    rows(world.path, "UPDATE macp_ext_goals SET parent_goal_id = ? WHERE goal_id = ?", ids[2], ids[0])
    rows(world.path, "UPDATE macp_ext_goals SET parent_goal_id = goal_id WHERE goal_id = ?", own)
    ann.task.dispatch(title="x", goal_id=hanging)
    whole = ann.goal.cascade()
    assert [tree.goal_id for tree in whole.goals] == [free]
    assert sorted(sorted(circle) for circle in whole.cycles) == sorted([sorted(ids), [own]])
    view = ann.goal.get(goal_id=hanging)
    assert sorted(view.cycle) == sorted(ids)
    assert {goal.goal_id for goal in view.ancestry} == set(ids)
    (tree,) = ann.goal.cascade(goal_id=ids[1]).goals
    assert {tree.goal_id, *(child.goal_id for child in tree.children)} >= {ids[1], hanging, ids[2]}
    assert ann.goal.get(goal_id=own).children == []
    assert {goal.progress.subtree_total_tasks for goal in ann.goal.list().goals} == {0, 1}
    assert "cycles" in to_json(whole)
    ann.goal.update(goal_id=ids[0], parent_goal_id="")
    ann.goal.update(goal_id=own, parent_goal_id="")
    assert ann.goal.cascade().cycles == ()


def test_very_deep_trees_are_cut_and_counted(world: World, ann: Workspace) -> None:
    peer = joined(world.path, "ted", world.clock)
    ids: list[str] = []
    for place in range(MAX_DEPTH + 300):
        ids.append(peer.goal(str(place), ids[-1] if ids else None))
    (tree,) = ann.goal.cascade().goals
    below: Any = tree
    for _ in range(MAX_DEPTH - 1):
        (below,) = below.children
    assert (below.goal_id, below.children, below.deeper) == (ids[MAX_DEPTH - 1], (), 300)
    assert len(ann.goal.get(goal_id=ids[-1]).ancestry) == MAX_DEPTH + 299
    assert to_json(ann.goal.cascade())["goals"][0]["goalId"] == ids[0]


def test_goals_of_the_original_are_read_as_ours(world: World, ann: Workspace) -> None:
    peer = joined(world.path, "ted", world.clock)
    theirs, mine = peer.goal("x"), make(ann, "x")
    one, other = (
        {
            **dicts(world.path, "SELECT * FROM macp_ext_goals WHERE goal_id = ?", goal_id)[0],
            **dict.fromkeys(("goal_id", "created_by_agent_id")),
        }
        for goal_id in (theirs, mine)
    )
    assert one == other
    assert ann.goal.get(goal_id=theirs).goal.created_by_agent_id == "ted"


def test_lists_take_the_same_number_of_statements_however_many_goals(world: World, fault: Fault) -> None:
    """Reference E-23: no query for each goal."""
    with World(world.path, clock=world.clock) as traced:
        ann = traced.agent("ann")

        def statements() -> int:
            for n in range(1, 60):
                fault.arm(n)
                try:
                    ann.goal.list()
                    ann.goal.cascade()
                except Problem:
                    continue
                finally:
                    fault.disarm()
                return n
            raise AssertionError("too many statements")

        before = statements()
        for place in range(20):
            make(ann, str(place))
        assert statements() == before


NODES = st.integers(0, 11).map(str)


@given(st.dictionaries(NODES, st.none() | NODES, max_size=12))
def test_circles_are_found_in_any_graph(parents: Mapping[str, str | None]) -> None:
    found = cycles_of(parents)
    members = [node for circle in found for node in circle]
    assert len(members) == len(set(members))
    for node in parents:
        seen: list[str] = []
        at: str | None = parents[node]
        while at is not None and at in parents and at not in seen:
            seen.append(at)
            at = parents[at]
        assert (node in seen) == (node in members)
    for circle in found:
        assert circle[0] == min(circle)
        assert all(parents[one] == other for one, other in zip(circle, [*circle[1:], circle[0]], strict=True))


@given(st.dictionaries(NODES, st.none() | NODES, max_size=12), st.data())
def test_sums_roll_up_in_any_graph(parents: Mapping[str, str | None], data: st.DataObject) -> None:
    values = {node: data.draw(st.integers(0, 9)) for node in parents}
    sums = rolled_up(parents, values)
    for root in parents:
        below, waiting = {root}, [root]
        while waiting:
            at = waiting.pop()
            more = {node for node in parents if parents[node] == at} - below
            below |= more
            waiting += more
        assert sums[root] == sum(values[node] for node in below)
