"""A runner is killed at any statement of a job, its caller is killed, the job is cancelled: it ends once, clearly."""

from __future__ import annotations

import os
import random
import signal
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from comity import Workspace
from comity.kernel.problem import Conflict
from comity.loops.job_desk import Effect
from comity.loops.job_runner import JobRunner
from comity.process import ThisProcess, present
from comity.testing import World
from tests.loops.job_life import ALL, STEPS
from tests.rooms.jobs.asked import ONCE, REPEATABLE, ask
from tests.rounds import rounds
from tests.sim.processes import spawn
from tests.wire_format import check, rows

SEEDS = 100
DOCS = 8
INDEX = "vault.index"
OVER = {"done", "failed", "cancelled", "interrupted"}


class Place:
    """A database, a folder of documents, and a job that a caller asked for before it was killed."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.docs = folder / "docs"
        self.docs.mkdir(parents=True)
        for number in range(DOCS):
            (self.docs / f"{number}.md").write_text(f"# Document {number}\n")
        self.path = str(folder / "jobs.macp.db")
        with World(self.path) as world:
            world.agent("sink")
        with spawn("tests.loops.job_life", self.path, self.docs, "ask", kind) as caller:
            assert caller.stdout is not None
            self.job_id = caller.stdout.readline().decode().strip()
            assert caller.wait() == -signal.SIGKILL

    def runner(self, at: int, how: str) -> Any:
        return spawn("tests.loops.job_life", self.path, self.docs, "run", at, how)

    def written(self) -> list[Any]:
        """What effects have written."""
        return rows(
            self.path, "SELECT source_path FROM macp_ext_vault_docs UNION ALL SELECT content FROM messages ORDER BY 1"
        )

    def ends(self) -> list[Any]:
        """The states that were told as the job's end."""
        told = "SELECT json_extract(metadata_json, '$.state') FROM audit_log WHERE event_type = 'job.ended'"
        return [state for (state,) in rows(self.path, told)]

    def one_end(self) -> str:
        """The state in which the job ended, once."""
        check(self.path)
        ((state, result, problem),) = rows(self.path, "SELECT state, result, problem FROM comity_jobs")
        assert self.ends() == [state]
        assert state in OVER
        assert (state == "done") == (result is not None)
        assert (state in ("failed", "interrupted")) == (problem is not None)
        return str(state)


def another(world: World, place: Place) -> Workspace:
    """Whoever comes after the killed runner carries out what waits."""
    living = world.agent("living", root=str(place.docs), observer=ThisProcess(present("test")))
    JobRunner(living, 60, ALL, 0).look()
    return living


def how_many_statements(folder: Path, kind: str) -> int:
    place = Place(folder, kind)
    with place.runner(0, "") as runner:
        told, _ = runner.communicate()
    assert place.one_end() == "done"
    return int(told.split()[1])


@pytest.fixture(scope="module")
def statements(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """How many statements a whole job of each kind takes."""
    return {kind: how_many_statements(tmp_path_factory.mktemp("whole") / kind, kind) for kind in (INDEX, ONCE.name)}


@pytest.mark.slow
@pytest.mark.disk
@pytest.mark.parametrize("kind", [INDEX, ONCE.name])
def test_a_killed_runners_job_ends_once(tmp_path: Path, statements: dict[str, int], kind: str) -> None:
    """Also when its caller was killed before: here it always was."""
    chance = random.Random(kind)
    states: list[str] = []
    killed = 0
    while killed < rounds(8, SEEDS):
        place = Place(tmp_path / str(len(states)), kind)
        with place.runner(1 + chance.randrange(statements[kind]), "kill") as runner:
            killed += runner.wait() == -signal.SIGKILL  # a run may take a few statements less than the one counted
        with World(place.path) as world:
            living = another(world, place)
            found = living.job.get(job_id=place.job_id)
        states.append(place.one_end())
        written = place.written()
        assert len(written) == len(set(written)), "something was done twice"
        if found.job.state == "done":
            assert len(written) == (DOCS if kind == INDEX else STEPS)
    assert set(states) <= ({"done"} if kind == INDEX else {"done", "interrupted"})
    assert kind == INDEX or "interrupted" in states


def test_a_killed_runners_program_ends_with_its_children_and_the_job_is_begun_anew(tmp_path: Path) -> None:
    path, fifo = str(tmp_path / "jobs.macp.db"), tmp_path / "fifo"
    os.mkfifo(fifo)
    with World(path) as world:
        ann = world.agent("ann", root=str(tmp_path))
        job_id = ask(ann, REPEATABLE, str(fifo))
        with (
            spawn("tests.loops.job_life", path, tmp_path, "run", 0, "") as runner,
            fifo.open("rb", buffering=0) as pipe,
        ):
            assert pipe.read(4) == b"here"
            assert ann.job.get(job_id=job_id).job.state == "running"
            runner.kill()
            assert runner.wait() == -signal.SIGKILL
            assert pipe.read() == b"", "nobody has the pipe open any more"
        living = world.agent("living", observer=ThisProcess(present("test")))
        JobRunner(living, 60, {REPEATABLE.name: Effect(lambda _: {"again": True})}, 0).look()
        assert ann.job.get(job_id=job_id).result == {"again": True}


@pytest.mark.slow
@pytest.mark.disk
@pytest.mark.parametrize("kind", [INDEX, ONCE.name])
def test_a_cancelled_job_ends_once_and_writes_nothing_more(
    tmp_path: Path, statements: dict[str, int], kind: str
) -> None:
    chance = random.Random(kind)
    states = []
    for seed in range(rounds(8, SEEDS // 2)):
        place = Place(tmp_path / str(seed), kind)
        with place.runner(1 + chance.randrange(statements[kind]), "hold") as runner:
            assert runner.stdin is not None
            assert runner.stdout is not None
            held = runner.stdout.readline() == b"here\n"
            with World(place.path) as world:
                boss = world.agent("boss")
                with nullcontext() if held else pytest.raises(Conflict, match="is over already"):
                    boss.job.cancel(job_id=place.job_id)
                written = place.written()
                if held:
                    runner.stdin.write(b"\n")
                    runner.stdin.flush()
                assert runner.wait() == 0
                another(world, place)
        states.append(place.one_end())
        assert states[-1] == ("cancelled" if held else "done")
        assert place.written() == written
    assert "cancelled" in states
