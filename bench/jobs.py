"""What a job costs beside the call that it stands for, how soon it begins and ends, and what looking for jobs costs.

A folder is indexed by a call and by a job in turn, each time in a database of its own; a job that does nothing is asked
for and waited for, with a runner as servers have it; a job that runs a program is cancelled; a session looks for jobs
where there are none, beside the read of an empty inbox.

    python -m bench jobs
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench.figures import Figure, Options, median
from comity import Workspace
from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.loops.job_desk import Effect, Run
from comity.loops.job_runner import JobRunner
from comity.loops.served_job_runner import ServedJobRunner
from comity.rooms.jobs import requests
from comity.rooms.jobs.model import Kind, OneJob
from comity.server.feed.feed import Feed
from comity.system import processes
from comity.testing import World

DOCS, ROUNDS, JOBS, LOOKS = 2000, 5, 100, 2000
NOTHING = Kind("bench.nothing", repeatable=True)
PROGRAM = "import signal; print('here', flush=True); signal.pause()"


@op("bench.ask", effect="write", example={})
def ask(scope: Scope) -> OneJob:
    """Ask for a job that does what this benchmark says."""
    return requests.ask(scope, NOTHING, {})


def measure(options: Options) -> list[Figure]:
    """All of it."""
    return [_indexing(options), _empty(options), _cancelled(options), _looks(options)]


def _folder(root: str, docs: int) -> str:
    folder = os.path.join(root, "docs")
    os.mkdir(folder)
    for number in range(docs):
        with open(os.path.join(folder, f"{number:05}.md"), "w", encoding="utf-8") as file:
            file.write(f"# Document {number}\n\n{'What it says. ' * 100}\n")
    return folder


def _indexing(options: Options) -> Figure:
    called, jobs = [], []
    with tempfile.TemporaryDirectory(dir=options.folder) as root:
        folder = _folder(root, options.size(DOCS, 200))
        for _ in range(options.size(ROUNDS, 1)):
            with World() as world:
                ann = world.agent("ann", root=folder)
                began = time.monotonic()
                ann.vault.register(path=".")
                called.append(time.monotonic() - began)
            with World() as world:
                ann = world.agent("ann", root=folder)
                began = time.monotonic()
                job_id = ann.vault.index(path=".").job.job_id
                JobRunner(world.agent("runner"), 600, waited_ms=0).look()
                jobs.append(time.monotonic() - began)
                assert ann.job.get(job_id=job_id).job.state == "done"
    beside = {"a call": f"{median(called) * 1000:.0f} ms", "a job": f"{median(jobs) * 1000:.0f} ms"}
    return Figure(
        "indexing a folder as a job, beside a call", median(jobs) / median(called), " times", "at most", 1.3, beside
    )


def _served(world: World, effect: Effect, act: Callable[[], Awaitable[Any]]) -> None:
    """``act`` beside a runner as servers have it."""

    async def live() -> None:
        server = world.agent("server")
        feed = Feed(server)
        feed.start()
        runner = ServedJobRunner(server, 600, feed.mark, asyncio.to_thread, {NOTHING.name: effect})
        runner.start()
        try:
            await act()
        finally:
            await runner.close()
            await asyncio.to_thread(feed.stop)

    asyncio.run(live())


def _begin(workspace: Workspace) -> str:
    begun: OneJob = workspace.perform(ask)
    return begun.job.job_id


def _empty(options: Options) -> Figure:
    taken: list[float] = []
    with World() as world:
        ann = world.agent("ann")

        def one() -> None:
            began = time.monotonic()
            ended = ann.job.get(job_id=_begin(ann), wait_ms=30_000)
            taken.append((time.monotonic() - began) * 1000)
            assert ended.job.state == "done"

        async def act() -> None:
            for _ in range(options.size(JOBS, 10)):
                await asyncio.to_thread(one)

        _served(world, Effect(lambda _: None), act)
    return Figure("an empty job, from asking to hearing of its end", median(taken), "ms", "at most", 250)


def _cancelled(options: Options) -> Figure:
    taken: list[float] = []
    with World() as world:
        ann = world.agent("ann")
        for _ in range(options.size(20, 3)):
            running, ended = threading.Event(), threading.Event()

            def program(run: Run, running: threading.Event = running, ended: threading.Event = ended) -> None:
                running.set()
                processes.run(
                    (sys.executable, "-c", PROGRAM),
                    folder=os.getcwd(),
                    environment={},
                    most_bytes=100,
                    most_s=600,
                    stop=run.stop,
                )
                ended.set()

            job_id = _begin(ann)
            runner = JobRunner(world.agent("runner"), 600, {NOTHING.name: Effect(program)}, 0)
            look = threading.Thread(target=runner.look)
            look.start()
            assert running.wait(30)
            began = time.monotonic()
            ann.job.cancel(job_id=job_id)
            assert ended.wait(30)
            taken.append((time.monotonic() - began) * 1000)
            look.join()
    return Figure("from a job's cancellation to the end of its program", median(taken), "ms", "at most", 250)


def _looks(options: Options) -> Figure:
    looks = options.size(LOOKS, 200)
    with World() as world:
        ann = world.agent("ann")
        runner = JobRunner(ann, 600)
        times: list[float] = []
        for what in (ann.message.poll, runner.look):
            what()
            began = time.monotonic()
            for _ in range(looks):
                what()
            times.append((time.monotonic() - began) / looks * 1_000_000)
    beside = {"an empty poll": f"{times[0]:.0f} µs", "a look": f"{times[1]:.0f} µs, every one to two seconds"}
    return Figure(
        "a session's look for jobs where there are none, beside an empty poll",
        times[1] / times[0],
        " times",
        "at most",
        2,
        beside,
    )
