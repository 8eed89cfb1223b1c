"""Adding tasks once: duplicates, contracts, levels; all or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity import Problem
from comity.testing import World
from tests.rooms.tasks.test_matrix import attempt
from tests.wire_format import check, dump, rows
from tests.worlds import fresh

CONTRACT: dict[str, Any] = {
    "strict": True,
    "completion_contract": ["Tests pass"],
    "required_evidence": ["report.txt"],
    "links": {"session_id": "s-1"},
}


@pytest.mark.parametrize("title", ["Write the PARSER", "  write\tthe  parser\n", "WRITE THE PARSER"])
def test_an_unfinished_task_of_the_same_title_is_a_duplicate(world: World, title: str) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    first = ann.task.dispatch(title="Write the parser").task
    onward = {"pending": "claim", "accepted": "start", "in-progress": "block", "blocked": "complete"}
    for state, verb in onward.items():
        assert ann.task.get(task_id=first.task_id).task.status == state
        before = dump(world.path)
        _, refused = attempt(bob, "task.add", title=title)
        assert refused is not None
        assert refused.reason == "task.duplicate"
        assert (refused.data["number"], refused.data["taskId"]) == ("task-001", first.task_id)
        assert dump(world.path) == before
        ann.call(f"task.{verb}", {"task_id": first.task_id})
    assert bob.task.add(title=title).task.number == "task-002"


@pytest.mark.parametrize("title", ["Write theparser", "Write the parser.", "Schreibe den Parser"])
def test_other_titles_are_other_tasks(world: World, title: str) -> None:
    ann = world.agent("ann")
    ann.task.add(title="Write the parser")
    assert ann.task.add(title=title).task.number == "task-002"


@pytest.mark.parametrize(
    ("tasks", "reason"),
    [
        ([{"title": "one"}, {"title": "ONE"}], "task.duplicate"),
        ([{"title": "one"}, {"title": "There"}], "task.duplicate"),
        ([{"title": "one"}, {"title": "  "}], "task.blank_title"),
        ([{"title": "one"}, {"title": "two", "profile_slug": "nobody"}], "profile.unknown"),
        ([{"title": "one"}, {"title": "two", "level": 6}], "argument.invalid"),
        ([{"title": "one"}, {"title": "two", "level": 1, "priority": 2}], "task.two_levels"),
        ([{"title": "one"}, {"name": "two"}], "argument.invalid"),
        ([{"title": "one"}, {"title": "two", "contract": {"completion_contract": "x"}}], "argument.invalid"),
        ([{"title": str(number)} for number in range(21)], "argument.invalid"),
        ([], "argument.invalid"),
    ],
)
def test_several_are_added_or_none(world: World, tasks: list[dict[str, object]], reason: str) -> None:
    ann = world.agent("ann")
    ann.task.add(title="there")
    before = dump(world.path)
    _, refused = attempt(ann, "task.add_many", tasks=tasks)
    assert refused is not None
    assert refused.reason == reason
    assert dump(world.path) == before


def test_several_keep_their_order_levels_and_contracts(world: World) -> None:
    ann = world.agent("ann")
    wanted = [{"title": f"t{n}", "level": n} for n in range(1, 6)] + [
        {"title": "c", "priority": 5, "contract": CONTRACT}
    ]
    tasks = ann.call("task.add_many", {"tasks": wanted}).tasks
    assert [task.number for task in tasks] == [f"task-{n:03}" for n in range(1, 7)]
    assert [task.level for task in tasks] == [1, 2, 3, 4, 5, 5]
    assert [task.priority for task in tasks] == ["P0", "P1", "P2", "P3", "P3", "P3"]
    assert [task.contract for task in tasks[:5]] == [None] * 5
    assert tasks[5] == ann.task.get(task_id="task-006").task
    assert tasks[5].contract == {**CONTRACT, "inspect_gate_evidence": [], "verify_gate_evidence": []}
    check(world.path)


@settings(max_examples=25, deadline=None)
@given(levels=st.lists(st.integers(1, 5), min_size=1, max_size=8))
def test_a_level_is_what_was_said_last_and_counts_as_a_change_once(levels: list[int]) -> None:
    with fresh() as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        task = ann.task.add(title="x").task
        level, revision = 3, 1
        for wanted in levels:
            revision += wanted != level
            level = wanted
            after = bob.task.prioritize(task_id="task-001", level=wanted).task
            assert (after.level, after.revision) == (level, revision)
            assert after == bob.task.get(task_id=task.task_id).task
        _, refused = attempt(bob, "task.prioritize", task_id="task-001", level=1, expected_revision=revision + 1)
        assert refused is not None
        assert (refused.reason, refused.data["revision"]) == ("task.stale", revision)
        events = [event.event_type for event in bob.task.history(task_id="task-001").events]
        assert events == ["task.dispatched", *["task.prioritized"] * (revision - 1)]


def test_what_is_finished_has_no_priority(world: World) -> None:
    ann = world.agent("ann")
    ann.task.add(title="x")
    ann.task.cancel(task_id="task-001")
    with pytest.raises(Problem) as refused:
        ann.task.prioritize(task_id="task-001", level=1)
    assert refused.value.reason == "task.wrong_state"


def test_what_is_urgent_now_comes_next(world: World) -> None:
    ann = world.agent("ann")
    for title in ("one", "two", "three"):
        ann.task.add(title=title)
    ann.task.prioritize(task_id="task-003", level=1)
    assert [task.number for task in ann.task.ready().tasks] == ["task-003", "task-001", "task-002"]


def test_the_original_reads_what_was_added(world: World) -> None:
    ann = world.agent("ann")
    ann.call("task.add", {"title": " Write it ", "description": "d", "level": 5, "contract": CONTRACT})
    columns = "title, description, priority, status, dispatcher_agent_id, assigned_agent_id"
    assert rows(world.path, f"SELECT {columns} FROM macp_ext_tasks") == [
        ("Write it", "d", "P3", "pending", "ann", None)
    ]
