"""Plans of tasks: who may write what, what is kept, and which task an agent works on."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Workspace
from comity.kernel.problem import Conflict, Invalid, Limited, NotFound
from comity.rooms.plans.model import MOST_ENTRIES
from comity.testing import World
from tests.rooms.agents.test_identity import Place
from tests.wire_format import rows


class Team:
    """Pat dispatched a task that Ann holds; Rob looks on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.pat, self.ann, self.rob = (world.agent(name) for name in ("pat", "ann", "rob"))
        self.task = self.pat.task.dispatch(title="Write the lexer").task.task_id
        self.ann.task.claim(task_id=self.task)


@pytest.fixture
def team(world: World) -> Team:
    return Team(world)


def refused(kind: type[Exception], reason: str, call: Any, **arguments: object) -> Any:
    with pytest.raises(kind) as told:
        call(**arguments)
    assert told.value.reason == reason  # type: ignore[attr-defined]
    return told.value


def test_a_plan_holds_its_text_notes_errors_and_what_was_delivered(team: Team) -> None:
    ann, rob = team.ann, team.rob
    begun = ann.plan.begin(task_id="task-001", content="1. Tokens.")
    assert (begun.created, begun.plan.task_plan, begun.plan.task) == (True, "1. Tokens.", "task-001")
    assert begun.plan.revision == 1
    ann.plan.update(task_id="task-001", content="1. Tokens. 2. Tests.")
    assert ann.plan.note(task_id="task-001", note="Strings end at the line's end.").note_count == 1
    assert rob.plan.note(task_id="task-001", note="See the grammar.").note_count == 2
    assert rob.plan.add_error(task_id="task-001", error_type="test", message="1e5 fails").open_errors == 1
    ann.plan.add_error(task_id="task-001", error_type="build", message="no header", context="make all")
    assert ann.plan.resolve_error(task_id="task-001", error_index=0).open_errors == 1
    assert ann.plan.deliver(task_id="task-001", content="src/lexer.py").error_count == 2
    plan = rob.plan.get(task_id=team.task).plan
    assert plan.task_plan == "1. Tokens. 2. Tests."
    assert [(note.agent_id, note.note) for note in plan.notes] == [
        ("ann", "Strings end at the line's end."),
        ("rob", "See the grammar."),
    ]
    assert [(one.error_index, one.agent_id, one.error_type, one.resolved_by) for one in plan.errors] == [
        (0, "rob", "test", "ann"),
        (1, "ann", "build", None),
    ]
    assert (plan.errors[1].context, plan.open_errors, plan.deliverable, plan.delivered_by) == (
        "make all",
        1,
        "src/lexer.py",
        "ann",
    )


def test_beginning_again_leaves_a_plan_as_it_is(team: Team) -> None:
    team.ann.plan.begin(task_id=team.task, content="first")
    again = team.rob.plan.begin(task_id=team.task, content="second")
    assert (again.created, again.plan.task_plan) == (False, "first")


def test_the_text_of_a_held_task_is_its_holders_and_its_dispatchers(team: Team) -> None:
    refused(Conflict, "plan.not_yours", team.rob.plan.begin, task_id=team.task)
    team.pat.plan.update(task_id=team.task, content="as Pat planned it")
    team.ann.plan.update(task_id=team.task, content="as Ann does it")
    refused(Conflict, "plan.not_yours", team.rob.plan.update, task_id=team.task, content="as Rob would")
    refused(Conflict, "plan.not_yours", team.rob.plan.deliver, task_id=team.task, content="mine")
    assert team.rob.plan.get(task_id=team.task).plan.task_plan == "as Ann does it"


def test_anybody_plans_a_task_that_nobody_holds(team: Team) -> None:
    team.pat.task.dispatch(title="Write the parser")
    team.rob.plan.update(task_id="task-002", content="as Rob planned it")
    team.ann.task.claim(task_id="task-002")
    assert team.ann.plan.get(task_id="task-002").plan.task_plan == "as Rob planned it"
    refused(Conflict, "plan.not_yours", team.rob.plan.update, task_id="task-002", content="another")


def test_a_plan_that_another_one_has_written_is_stale(team: Team) -> None:
    seen = team.ann.plan.update(task_id=team.task, content="one").plan.revision
    team.pat.plan.update(task_id=team.task, content="two")
    told = refused(Conflict, "plan.stale", team.ann.plan.update, task_id=team.task, content="x", expected_revision=seen)
    assert told.data["planRevision"] == seen + 1
    now = team.ann.plan.update(task_id=team.task, content="three", expected_revision=seen + 1).plan
    assert (now.task_plan, now.revision) == ("three", seen + 2)


def test_the_same_text_again_is_no_change(team: Team) -> None:
    first = team.ann.plan.update(task_id=team.task, content="one").plan.revision
    assert team.ann.plan.update(task_id=team.task, content="one").plan.revision == first


def test_an_error_is_resolved_by_its_finder_or_by_who_may_write_the_plan(team: Team) -> None:
    team.rob.plan.add_error(task_id=team.task, error_type="a", message="of Rob's")
    team.ann.plan.add_error(task_id=team.task, error_type="b", message="of Ann's")
    refused(Conflict, "plan.not_yours", team.rob.plan.resolve_error, task_id=team.task, error_index=1)
    assert team.rob.plan.resolve_error(task_id=team.task, error_index=0).open_errors == 1
    before = rows(team.world.path, "SELECT count(*) FROM audit_log")
    assert team.ann.plan.resolve_error(task_id=team.task, error_index=0).open_errors == 1, "it was already"
    assert rows(team.world.path, "SELECT count(*) FROM audit_log") == before
    assert team.pat.plan.resolve_error(task_id=team.task, error_index=1).open_errors == 0
    told = refused(NotFound, "plan.no_error", team.ann.plan.resolve_error, task_id=team.task, error_index=2)
    assert "it has 2 of them" in told.message


def test_what_is_not_there_is_told(team: Team) -> None:
    for call, more in (
        (team.ann.plan.begin, {}),
        (team.ann.plan.get, {}),
        (team.ann.plan.note, {"note": "x"}),
        (team.ann.plan.set_task, {}),
    ):
        refused(NotFound, "task.unknown", call, task_id="../../etc/passwd", **more)
    assert "plan.begin" in refused(NotFound, "plan.none", team.ann.plan.get, task_id=team.task).hint
    refused(NotFound, "plan.none", team.ann.plan.resolve_error, task_id=team.task, error_index=0)
    assert "take_next" in refused(Invalid, "plan.no_task", team.rob.plan.get).hint


def test_a_plan_keeps_as_many_notes_as_it_may(team: Team) -> None:
    team.ann.plan.begin(task_id=team.task)
    rows(
        team.world.path,
        "WITH RECURSIVE n(x) AS (SELECT 0 UNION ALL SELECT x + 1 FROM n LIMIT ?) INSERT INTO comity_plan_entries"
        " (task_id, kind, place, agent_id, written_at, content) SELECT ?, 'note', x, 'ann', 't', 'n' || x FROM n",
        MOST_ENTRIES,
        team.task,
    )
    refused(Limited, "plan.full", team.ann.plan.note, task_id=team.task, note="one more")
    plan = team.ann.plan.get(task_id=team.task, notes=2).plan
    assert (plan.note_count, [one.note for one in plan.notes]) == (MOST_ENTRIES, ["n998", "n999"])
    assert team.ann.plan.add_error(task_id=team.task, error_type="x", message="y").error_count == 1


def test_plans_are_listed_the_newest_change_first(team: Team) -> None:
    team.pat.task.dispatch(title="Write the parser")
    team.ann.plan.begin(task_id=team.task)
    team.world.clock.advance(1)
    team.rob.plan.note(task_id="task-002", note="x")
    assert [(one.task, one.note_count) for one in team.rob.plan.list().plans] == [("task-002", 1), ("task-001", 0)]
    team.world.clock.advance(1)
    team.ann.task.start(task_id=team.task)
    team.ann.task.complete(task_id=team.task, result="done")
    assert [one.task for one in team.rob.plan.list(only_open=True).plans] == ["task-002"]
    listed = team.rob.plan.list(limit=1)
    assert ([one.task for one in listed.plans], listed.more) == (["task-002"], True)


class Current:
    """The current task of an agent, by its number, and whether it was chosen."""

    def __init__(self, agent: Workspace) -> None:
        self.agent = agent

    def __call__(self) -> tuple[str | None, bool]:
        found = self.agent.plan.get_task()
        return found.task, found.chosen


def test_the_current_task_is_the_agents_own(team: Team) -> None:
    ann, rob = Current(team.ann), Current(team.rob)
    assert (ann(), rob()) == (("task-001", False), (None, False))
    team.pat.task.dispatch(title="Write the parser")
    team.ann.task.claim(task_id="task-002")
    assert ann() == ("task-001", False), "the one that it holds longest"
    team.ann.task.start(task_id="task-002")
    assert ann() == ("task-002", False), "the one that it has begun"
    team.ann.plan.set_task(task_id="task-001")
    assert (ann(), rob()) == (("task-001", True), (None, False))
    team.ann.task.release(task_id="task-001")
    assert ann() == ("task-002", False), "what is not held any more is nobody's current task"
    team.rob.task.claim(task_id="task-001")
    assert (ann(), rob()) == (("task-002", False), ("task-001", False))
    team.rob.task.release(task_id="task-001")
    team.ann.task.claim(task_id="task-001")
    team.ann.plan.set_task(task_id="task-001")
    assert team.ann.plan.clear_task().task == "task-002"


def test_only_a_task_that_one_holds_can_be_current(team: Team) -> None:
    told = refused(Conflict, "plan.not_held", team.rob.plan.set_task, task_id="task-001")
    assert "ann holds it" in told.message
    team.ann.task.start(task_id=team.task)
    team.ann.task.complete(task_id=team.task, result="done")
    refused(Conflict, "plan.not_held", team.ann.plan.set_task, task_id="task-001")
    assert Current(team.ann)() == (None, False)


def test_the_plan_of_the_current_task_is_read_without_its_name(team: Team) -> None:
    team.ann.plan.begin(task_id=team.task, content="mine")
    assert team.ann.plan.get().plan.task_plan == "mine"


def test_what_happens_to_a_plan_is_in_the_history_of_its_task(team: Team) -> None:
    team.ann.plan.begin(task_id=team.task, content="x")
    team.rob.plan.note(task_id=team.task, note="look at the grammar")
    events = team.rob.task.history(task_id=team.task).events
    assert [one.event_type for one in events][-3:] == ["task.claimed", "plan.begun", "plan.noted"]
    assert (events[-1].agent_id, events[-1].metadata["by"], events[-1].metadata["note"]) == (
        "ann",
        "rob",
        "look at the grammar",
    )


def test_a_plan_goes_with_its_task(team: Team) -> None:
    team.ann.plan.note(task_id=team.task, note="x")
    team.ann.plan.set_task(task_id=team.task)
    rows(team.world.path, "DELETE FROM macp_ext_tasks WHERE task_id = ?", team.task)
    for table in ("comity_plans", "comity_plan_entries", "comity_current_tasks"):
        assert rows(team.world.path, f"SELECT count(*) FROM {table}") == [(0,)], table


def test_the_choice_goes_along_with_an_agent_that_turns_out_to_be_another(world: World) -> None:
    place = Place(world)
    old = place.hook("s0", "startup", pid=5)
    place.leave("s0", pid=5)
    server = place.server("bogus")
    for number, title in enumerate(("Write the lexer", "Write the parser"), 1):
        server.of({}).task.dispatch(title=title)
        server.of({}).task.claim(task_id=f"task-00{number}")
    server.of({}).plan.set_task(task_id="task-002")
    assert place.hook("s0", "resume") == old
    assert Current(server.of({}))() == ("task-002", True)
    assert rows(world.path, "SELECT agent_id FROM comity_current_tasks") == [(old,)]
