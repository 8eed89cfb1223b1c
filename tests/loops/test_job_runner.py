"""Runners of jobs, on a thread and on an event loop: what an effect answers, raises and leaves behind."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from comity import Workspace
from comity.kernel.problem import NotFound
from comity.loops.job_desk import Desk, Effect, Run
from comity.loops.job_runner import JobRunner
from comity.loops.loop import Late
from comity.loops.served_job_runner import ServedJobRunner
from comity.server.feed.feed import Feed
from comity.store.sqlite import SqliteStore
from comity.system import processes
from comity.testing import FakeMachine, World
from tests.rooms.jobs.asked import MANY, ONCE, REPEATABLE, ask

PATIENCE_S = 30.0
OVER = ("done", "failed", "cancelled", "interrupted")
# A program that starts another one, tells that both run, and goes on for longer than any test.
_FOREVER = "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]]).wait()"
_CHILD = "import os, signal, sys; os.close(os.open(sys.argv[1], os.O_WRONLY)); signal.pause()"


@pytest.fixture
def ann(world: World) -> Workspace:
    return world.agent("ann")


def once(workspace: Workspace, carry_out: Callable[[Run], Any], most_s: float = 60) -> JobRunner:
    """A runner that has looked once: what waited is over."""
    runner = JobRunner(workspace, most_s, {kind.name: Effect(carry_out) for kind in (REPEATABLE, ONCE)}, 0)
    runner.look()
    return runner


def result(workspace: Workspace, job_id: str) -> Any:
    return workspace.job.get(job_id=job_id)


def started(workspace: Workspace, runner: JobRunner) -> threading.Thread:
    thread = threading.Thread(target=runner.look)
    thread.start()
    return thread


def test_an_effect_answers_what_the_job_did(ann: Workspace) -> None:
    job_id = ask(ann, text="hello")
    once(ann, lambda run: {"heard": run.arguments["text"], "for": run.workspace.actor.agent_id})
    found = result(ann, job_id)
    assert (found.job.state, found.result) == ("done", {"heard": "hello", "for": "ann"})


def test_what_an_effect_raises_is_how_the_job_failed(ann: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "excepthook", lambda *_: None)

    def refuse(run: Run) -> None:
        if run.arguments["text"] == "world":
            raise NotFound("vault.no_folder", "It is gone.", "Look.")
        raise ZeroDivisionError

    first, second = ask(ann, text="world"), ask(ann, text="fault")
    once(ann, refuse)
    assert [result(ann, one).problem.reason for one in (first, second)] == ["vault.no_folder", "job.fault"]
    assert [result(ann, one).job.state for one in (first, second)] == ["failed", "failed"]


def test_a_result_that_is_too_large_is_a_failure(ann: Workspace) -> None:
    job_id = ask(ann)
    once(ann, lambda _: {"x": "x" * 200_000})
    assert result(ann, job_id).problem.reason == "job.result_large"


def test_a_job_that_takes_too_long_is_stopped(ann: Workspace) -> None:
    job_id = ask(ann)
    stopped = threading.Event()

    def wait(run: Run) -> None:
        run.stop.on_set(stopped.set)
        assert stopped.wait(PATIENCE_S)
        run.report(0, 0, "x")

    once(ann, wait, most_s=0.05)
    assert result(ann, job_id).problem.reason == "job.late"


def test_whoever_waits_hears_of_the_end(world: World, ann: Workspace) -> None:
    job_id = ask(ann)
    heard: list[str] = []
    waiting = threading.Thread(
        target=lambda: heard.append(ann.job.get(job_id=job_id, wait_ms=int(PATIENCE_S * 1000)).job.state)
    )
    waiting.start()
    once(world.agent("runner"), lambda _: None)
    waiting.join(PATIENCE_S)
    assert heard == ["done"]


def forever(fifo: Path) -> Callable[[Run], Any]:
    """An effect that runs a program which never ends by itself."""

    def carry_out(run: Run) -> Any:
        ended = processes.run(
            (sys.executable, "-c", _FOREVER, str(fifo), _CHILD),
            folder=str(fifo.parent),
            environment={},
            most_bytes=1000,
            most_s=600,
            stop=run.stop,
        )
        return {"how": ended.how}

    return carry_out


def pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def both_run(fifo: Path) -> None:
    with fifo.open("rb") as opened:  # until the program's child has opened and closed it
        opened.read()


def test_a_program_is_killed_with_what_it_started_once_its_job_is_cancelled(
    world: World, ann: Workspace, tmp_path: Path
) -> None:
    fifo, job_id = pipe(tmp_path), ask(ann, ONCE)
    runner = JobRunner(world.agent("runner"), 600, {ONCE.name: Effect(forever(fifo))}, 0)
    thread = started(ann, runner)
    both_run(fifo)
    ann.job.cancel(job_id=job_id)
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    found = result(ann, job_id)
    assert (found.job.state, found.result) == ("cancelled", None)


@pytest.mark.parametrize(("kind", "left"), [(REPEATABLE, "waiting"), (ONCE, "interrupted")])
def test_a_runner_that_ends_gives_its_job_back(
    world: World, ann: Workspace, tmp_path: Path, kind: Any, left: str
) -> None:
    fifo, job_id = pipe(tmp_path), ask(ann, kind)

    def carry_out(run: Run) -> Any:
        forever(fifo)(run)
        run.report(1, 1, "x")

    runner = JobRunner(world.agent("runner"), 600, {kind.name: Effect(carry_out)}, 0)
    late = Late("jobs", 0.05, lambda: True, lambda: runner)
    late.start()
    both_run(fifo)
    late.stop()
    assert result(ann, job_id).job.state == left
    assert not [one for one in threading.enumerate() if one.name.startswith("comity-job")]


def test_a_runner_that_lost_its_job_writes_nothing(world: World, ann: Workspace) -> None:
    machine = FakeMachine()
    process = machine.start()
    slow, quick = world.agent("slow", observer=process), world.agent("quick", observer=machine.start())
    job_id = ask(ann)
    outcomes: list[str] = []

    def overtaken(run: Run) -> Any:
        machine.kill(process)  # as others see it
        JobRunner(quick, 60, {REPEATABLE.name: Effect(lambda _: {"by": "quick"})}, 0).look()
        try:
            run.workspace.message.send(destination_agent_id="quick", content="late")
        except Exception as error:  # noqa: BLE001 - it is looked at below
            outcomes.append(str(error))
        return {"by": "slow"}

    JobRunner(slow, 60, {REPEATABLE.name: Effect(overtaken)}, 0).look()
    assert "job.lost" in outcomes[0]
    assert result(ann, job_id).result == {"by": "quick"}
    assert quick.message.poll().deliveries == []
    assert [event.event_type for event in ann.event.list(event_types=["job.ended"]).events] == ["job.ended"]


def test_a_session_leaves_to_servers_what_needs_an_event_loop_and_what_is_new(ann: Workspace) -> None:
    async def nothing(_: Run) -> None:
        return

    effects: Mapping[str, Effect] = {
        REPEATABLE.name: Effect(nothing, on_loop=True),
        ONCE.name: Effect(lambda _: None),
    }
    jobs = [ask(ann), ask(ann, ONCE)]
    JobRunner(ann, 60, effects).look()
    assert [result(ann, one).job.state for one in jobs] == ["waiting", "waiting"]


def served(workspace: Workspace, effects: Mapping[str, Effect], act: Callable[[ServedJobRunner], Any]) -> None:
    """Runs ``act`` beside a runner on an event loop, as a server has it."""

    async def live() -> None:
        feed = Feed(workspace)
        feed.start()
        runner = ServedJobRunner(workspace, 60, feed.mark, asyncio.to_thread, effects)
        runner.start()
        try:
            await act(runner)
        finally:
            await runner.close()
            await asyncio.to_thread(feed.stop)

    asyncio.run(live())


async def all_over(workspace: Workspace, jobs: list[str]) -> list[Any]:
    given: list[dict[str, object]] = [{"job_id": one, "wait_ms": int(PATIENCE_S * 1000)} for one in jobs]
    return [await asyncio.to_thread(workspace.call, "job.get", one) for one in given]


def test_hundreds_of_jobs_run_on_one_event_loop_without_a_thread_each(world: World, ann: Workspace) -> None:
    total = 150
    jobs = [ask(ann, MANY) for _ in range(total)]
    everybody, most, here = [0], [0], asyncio.Event()
    before = threading.active_count()  # other tests' last threads, which are about to end

    async def meet(run: Run) -> dict[str, Any]:
        """None of them ends before all have begun."""
        everybody[0] += 1
        most[0] = max(most[0], threading.active_count())
        if everybody[0] == total:
            here.set()
        await here.wait()
        run.report(1, 1, "met")
        return {"met": everybody[0]}

    async def act(_: ServedJobRunner) -> None:
        found = await all_over(ann, jobs)
        assert {(one.job.state, one.result["met"]) for one in found} == {("done", total)}

    served(world.agent("server"), {MANY.name: Effect(meet, on_loop=True)}, act)
    assert most[0] - before < 50


def test_a_coroutine_is_cancelled_with_its_job_and_one_that_blocks_ends(world: World, ann: Workspace) -> None:
    waiting, ended = asyncio.Event(), threading.Event()

    async def wait(_: Run) -> None:
        try:
            waiting.set()
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def act(_: ServedJobRunner) -> None:
        jobs = [ask(ann, MANY), ask(ann)]
        async with asyncio.timeout(PATIENCE_S):
            await waiting.wait()
        ann.job.cancel(job_id=jobs[0])
        assert await asyncio.to_thread(ended.wait, PATIENCE_S)
        states = [one.job.state for one in await all_over(ann, jobs)]
        assert states == ["cancelled", "done"]

    effects = {MANY.name: Effect(wait, on_loop=True), REPEATABLE.name: Effect(lambda _: {})}
    served(world.agent("server"), effects, act)


def test_a_server_that_ends_gives_its_jobs_back(world: World, ann: Workspace) -> None:
    jobs: list[str] = []
    begun = asyncio.Event()

    async def wait(_: Run) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def act(_: ServedJobRunner) -> None:
        jobs.append(ask(ann, MANY))
        async with asyncio.timeout(PATIENCE_S):
            await begun.wait()

    served(world.agent("server"), {MANY.name: Effect(wait, on_loop=True)}, act)
    assert [result(ann, one).job.state for one in jobs] == ["waiting"]


def test_a_desk_without_a_database_lets_an_effect_go_on_for_a_lease(ann: Workspace, tmp_path: Path) -> None:
    ask(ann)
    run = Desk(ann, {REPEATABLE.name: Effect(lambda _: None)}, 60).take()
    assert run is not None
    desk = Desk(Workspace(gone(tmp_path / "gone.db"), ann.actor), {}, 60)
    desk.look_after([run])
    assert not run.stop.is_set()
    run.renewed -= 31
    desk.look_after([run])
    assert run.stop.is_set()
    assert run.why == "lost"


def gone(path: Path) -> SqliteStore:
    """A store whose files were removed."""
    store = SqliteStore(path)
    for file in path.parent.glob(f"{path.name}*"):
        if file.is_file():
            file.unlink()
    return store
