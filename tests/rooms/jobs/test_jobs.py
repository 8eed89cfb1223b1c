"""Jobs: who takes one, what becomes of it, and that it ends once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from comity import Problem, Workspace
from comity.kernel.problem import Conflict, Forbidden, Limited, NotFound
from comity.rooms.jobs.fence import FencedStore
from comity.rooms.jobs.machine import MACHINE, MOST_LAPSES
from comity.rooms.jobs.model import MOST_ARGUMENTS_BYTES, MOST_KEPT, TakenJob
from comity.rooms.jobs.requests import asker
from comity.testing import FakeMachine, World
from tests.rooms.jobs.asked import ONCE, REPEATABLE, ask
from tests.wire_format import rows

KINDS = [REPEATABLE.name, ONCE.name]
LEASE_S = 30


@pytest.fixture
def ann(world: World) -> Workspace:
    return world.agent("ann")


def take(workspace: Workspace, **more: int) -> TakenJob | None:
    job: TakenJob | None = workspace.job.take(kinds=KINDS, **more).job
    return job


def taken(workspace: Workspace) -> TakenJob:
    job = take(workspace)
    assert job is not None
    return job


def finish(workspace: Workspace, job: TakenJob, outcome: str = "done", **more: str) -> str:
    return str(
        workspace.call("job.finish", {"job_id": job.job_id, "epoch": job.epoch, "outcome": outcome, **more}).job.state
    )


def state(workspace: Workspace, job_id: str) -> str:
    return str(workspace.job.get(job_id=job_id).job.state)


def events(workspace: Workspace) -> list[str]:
    return [event.event_type for event in workspace.event.list(event_types=["job.*"]).events]


def test_a_job_is_asked_for_taken_and_done(world: World, ann: Workspace) -> None:
    runner = world.agent("runner")
    job_id = ask(ann, text="hello")
    waiting = ann.job.get(job_id=job_id)
    assert (waiting.job.state, waiting.job.arguments, waiting.job.agent_id) == ("waiting", {"text": "hello"}, "ann")
    job = taken(runner)
    assert (job.job_id, job.kind, job.arguments, job.epoch) == (job_id, REPEATABLE.name, {"text": "hello"}, 1)
    assert asker(job.asker).agent_id == "ann"
    assert runner.job.renew(job_id=job_id, epoch=1, done=3, total=9, what="reading").held
    running = ann.job.get(job_id=job_id).job
    assert (running.state, running.progress) == ("running", (3, 9, "reading"))
    assert finish(runner, job, result='{"found":2}') == "done"
    done = ann.job.get(job_id=job_id)
    assert (done.job.state, done.result, done.problem) == ("done", {"found": 2}, None)
    assert done.job.started_at
    assert done.job.ended_at
    assert events(ann) == ["job.requested", "job.started", "job.progressed", "job.ended"]


def test_a_failure_is_kept_as_the_problem_that_it_was(ann: Workspace) -> None:
    job_id = ask(ann)
    told = NotFound("vault.no_folder", "docs is not a folder.", "Name another.", path="/x/docs").as_dict()
    assert finish(ann, taken(ann), "failed", problem=json.dumps(told)) == "failed"
    problem = ann.job.get(job_id=job_id).problem
    assert problem is not None
    assert problem._asdict() == {**told, "message": '"docs is not a folder."', "hint": '"Name another."'}


def test_one_runner_has_a_job(world: World, ann: Workspace) -> None:
    other = world.agent("other")
    job_id = ask(ann)
    assert taken(ann).job_id == job_id
    assert take(other) is None


def test_a_runner_takes_only_kinds_that_it_knows_and_what_has_waited(world: World, ann: Workspace) -> None:
    first = ask(ann)
    world.clock.advance(2)
    ask(ann)
    assert ann.job.take(kinds=["other"]).job is None
    assert ann.job.take(kinds=[]).job is None
    job = take(ann, waited_ms=1500)
    assert job is not None
    assert job.job_id == first
    assert take(ann, waited_ms=1500) is None


def test_looking_for_jobs_writes_nothing(ann: Workspace) -> None:
    before = events(ann)
    version = rows(ann.actor.database or _path(ann), "PRAGMA data_version")
    assert take(ann) is None
    assert ann.job.reap().job_ids == []
    assert (events(ann), rows(_path(ann), "PRAGMA data_version")) == (before, version)


def _path(workspace: Workspace) -> str:
    return str(workspace.store.path)  # type: ignore[attr-defined]


def test_a_verdict_is_the_last_one(world: World, ann: Workspace) -> None:
    job_id = ask(ann)
    job = taken(ann)
    finish(ann, job)
    for outcome in ("done", "failed", "released"):
        with pytest.raises(Conflict) as refused:
            finish(ann, job, outcome)
        assert refused.value.reason == "job.lost"
    with pytest.raises(Conflict) as over:
        ann.job.cancel(job_id=job_id)
    assert over.value.reason == "job.over"
    assert not ann.job.renew(job_id=job_id, epoch=job.epoch).held
    assert events(ann).count("job.ended") == 1


def test_a_job_that_waits_is_cancelled(ann: Workspace) -> None:
    job_id = ask(ann)
    assert ann.job.cancel(job_id=job_id).job.state == "cancelled"
    assert take(ann) is None


def test_a_running_job_that_is_cancelled_takes_nothing_of_its_runner_any_more(world: World, ann: Workspace) -> None:
    runner = world.agent("runner")
    job_id = ask(ann)
    job = taken(runner)
    effect = runner.in_the_name_of(asker(job.asker), FencedStore(runner.store, job.job_id, job.epoch))
    effect.message.send(destination_agent_id="runner", content="while it runs")
    ann.job.cancel(job_id=job_id)
    with pytest.raises(Conflict) as refused:
        effect.message.send(destination_agent_id="runner", content="too late")
    assert refused.value.reason == "job.lost"
    with pytest.raises(Conflict):
        finish(runner, job)
    assert [one.content for one in runner.message.poll().deliveries] == ["while it runs"]
    assert state(ann, job_id) == "cancelled"


def test_an_effect_works_for_an_agent_that_has_gone(world: World, ann: Workspace) -> None:
    runner = world.agent("runner")
    ask(ann)
    ann.session.end()
    job = taken(runner)
    effect = runner.in_the_name_of(asker(job.asker), FencedStore(runner.store, job.job_id, job.epoch))
    effect.memory.set(key="k", value="v", scope="workspace")
    assert rows(_path(ann), "SELECT author_agent_id FROM macp_ext_memories") == [("ann",)]
    with pytest.raises(Problem):
        ann.memory.set(key="k", value="v", scope="workspace")


def test_a_dead_runners_job_is_begun_anew_and_the_dead_one_writes_nothing(world: World, ann: Workspace) -> None:
    machine = FakeMachine()
    first, second = machine.start(), machine.start()
    dead, living = world.agent("dead", observer=first), world.agent("living", observer=second)
    job_id = ask(ann)
    job = taken(dead)
    assert take(living) is None
    machine.kill(first)
    again = taken(living)
    assert (again.job_id, again.epoch) == (job_id, 2)
    with pytest.raises(Conflict):
        finish(dead, job)
    assert finish(living, again) == "done"
    assert events(ann) == ["job.requested", "job.started", "job.returned", "job.started", "job.ended"]


def test_a_job_that_must_not_be_repeated_is_interrupted(world: World, ann: Workspace) -> None:
    machine = FakeMachine()
    process = machine.start()
    dead, living = world.agent("dead", observer=process), world.agent("living", observer=machine.start())
    job_id = ask(ann, ONCE)
    taken(dead)
    machine.kill(process)
    assert living.job.reap().job_ids == [job_id]
    ended = ann.job.get(job_id=job_id)
    assert ended.job.state == "interrupted"
    assert ended.problem is not None
    assert ended.problem.reason == "job.interrupted"
    assert take(living) is None


def test_a_job_over_which_runners_die_is_not_tried_for_ever(world: World, ann: Workspace) -> None:
    machine = FakeMachine()
    job_id = ask(ann)
    for _ in range(MOST_LAPSES):
        process = machine.start()
        taken(world.agent("dead", observer=process))
        machine.kill(process)
        world.agent("living", observer=machine.start()).job.reap()
    assert state(ann, job_id) == "interrupted"


def test_a_lease_that_runs_out_counts_for_who_has_looked_on(world: World, ann: Workspace) -> None:
    machine, elsewhere = FakeMachine(), FakeMachine("other", "boot-2")
    hung, far = world.agent("hung", observer=machine.start()), world.agent("far", observer=elsewhere.start())
    living = world.agent("living", observer=machine.start())
    jobs = [ask(ann), ask(ann)]
    for one in (hung, far):
        taken(one)
    world.clock.advance(LEASE_S + 1)
    machine.pace_ms += (LEASE_S + 1) * 1000
    assert living.job.reap().job_ids == []  # it has only begun to look
    lapsed: list[str] = []
    for _ in range(4):
        world.clock.advance(10)
        machine.pace_ms += 10_000
        lapsed += living.job.reap().job_ids
    assert sorted(lapsed) == sorted(jobs)


def test_a_runner_that_ends_lets_go(world: World, ann: Workspace) -> None:
    again = ask(ann)
    world.clock.advance(1)
    once = ask(ann, ONCE)
    assert finish(ann, taken(ann), "released") == "waiting"
    assert [taken(ann).job_id for _ in range(2)] == [again, once]
    assert finish(ann, TakenJob(once, "", {}, {}, 1, 1), "released") == "interrupted"
    assert events(ann).count("job.ended") == 1


def test_how_far_it_is_is_told_at_most_once_a_second(world: World, ann: Workspace) -> None:
    ask(ann)
    job = taken(ann)
    for number in range(30):
        world.clock.advance(0.1)
        ann.job.renew(job_id=job.job_id, epoch=1, done=number, total=30, what="x")
    assert events(ann).count("job.progressed") == 3
    assert ann.job.get(job_id=job.job_id).job.progress == (29, 30, "x")


def test_how_many_wait_is_bounded(world: World, ann: Workspace) -> None:
    for _ in range(REPEATABLE.per_agent):
        ask(ann)
    with pytest.raises(Limited) as refused:
        ask(ann)
    assert (refused.value.reason, refused.value.data["limit"]) == ("job.too_many", REPEATABLE.per_agent)
    job = taken(ann)
    with pytest.raises(Limited):  # what runs counts, too
        ask(ann)
    finish(ann, job)
    ask(ann)
    ask(ann, ONCE)  # another kind has bounds of its own
    for number in range(1, REPEATABLE.in_all // REPEATABLE.per_agent):
        one = world.agent(f"x{number}")
        for _ in range(REPEATABLE.per_agent):
            ask(one)
    late = world.agent("late")
    with pytest.raises(Limited) as refused:
        ask(late)
    assert refused.value.data["limit"] == REPEATABLE.in_all


def test_what_is_asked_for_is_bounded(ann: Workspace) -> None:
    with pytest.raises(Limited) as refused:
        ask(ann, text="x" * MOST_ARGUMENTS_BYTES)
    assert refused.value.reason == "job.large"
    assert ann.job.list().jobs == []


def test_only_so_many_that_are_over_are_kept(ann: Workspace) -> None:
    path = _path(ann)
    first = ask(ann)
    finish(ann, taken(ann))
    copied = "SELECT job_id || ?1, kind, arguments, state, agent_id, asker, repeatable, most_s, epoch, lapses, runner,"
    copied += " seen_ms, lease_until_ms, done, total, what, told_ms, result, problem, requested_ms, started_ms,"
    for number in range(MOST_KEPT):
        rows(
            path,
            f"INSERT INTO comity_jobs {copied} ended_ms + 1 + ?1 FROM comity_jobs WHERE job_id = ?2",
            number,
            first,
        )
    waits = ask(ann)
    (count,) = rows(path, "SELECT count(*) FROM comity_jobs")
    assert count == (MOST_KEPT + 1,)
    assert state(ann, waits) == "waiting"
    with pytest.raises(NotFound) as refused:
        ann.job.get(job_id=first)
    assert refused.value.reason == "job.unknown"


def test_what_is_over_goes_with_the_rest_of_history(world: World, ann: Workspace) -> None:
    over = ask(ann)
    finish(ann, taken(ann))
    waits = ask(ann)
    world.clock.advance(40 * 86_400)
    ann.workspace.prune(older_than_days=30)
    assert [job.job_id for job in ann.job.list().jobs] == [waits]
    assert over != waits


def test_over_the_network_a_worker_cancels_its_own_only(world: World, ann: Workspace) -> None:
    job_id = ask(ann)
    bob = world.agent("bob", oversees=False)
    with pytest.raises(Forbidden) as refused:
        bob.job.cancel(job_id=job_id)
    assert refused.value.reason == "job.not_yours"
    assert world.agent("boss").job.cancel(job_id=job_id).job.state == "cancelled"


def test_jobs_are_listed_the_newest_first(world: World, ann: Workspace) -> None:
    first = ask(ann)
    world.clock.advance(1)
    second = ask(ann)
    assert [job.job_id for job in ann.job.list().jobs] == [second, first]
    taken(ann)
    assert [job.job_id for job in ann.job.list(states=["running"]).jobs] == [first]
    assert [job.job_id for job in ann.job.list(limit=1).jobs] == [second]


def test_rows_of_others_are_shown_as_far_as_they_go(ann: Workspace) -> None:
    job_id = ask(ann)
    rows(_path(ann), "UPDATE comity_jobs SET arguments = '[', runner = '3', problem = '{\"data\":1}', asker = 'x'")
    shown = ann.job.get(job_id=job_id)
    assert (shown.job.arguments, shown.job.runner) == ({}, "")
    assert shown.problem == ("", "", "", "", {})
    assert asker(taken(ann).asker).agent_id == ""


def test_the_page_shows_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs" / "jobs.md").read_text(encoding="utf-8")
    assert MACHINE.diagram() in page
