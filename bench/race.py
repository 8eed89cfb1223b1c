"""Eight processes race for 1,000 tasks and 1,000 paths: who owns what by their own words, and by the file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from types import TracebackType
from typing import Any, NamedTuple, Self

from bench.figures import Figure, Options
from bench.ground import Ground
from comity.kernel.clock import SystemClock
from comity.kernel.ids import TimeOrderedIds
from comity.store.connection import connect

WAYS = ("claim", "next", "next", "next") * 2  # one process each
PROCESSES = len(WAYS)
EACH = 1000  # tasks, and paths
ROUNDS = 20
KINDS = ("tasks", "paths")

_TASK = (
    "INSERT INTO macp_ext_tasks (task_id, title, dispatcher_agent_id, created_at, updated_at)"
    " VALUES (?, 'Race', 'boss', ?, ?)"
)
_OWNERS = {
    "tasks": "SELECT task_id, assigned_agent_id FROM macp_ext_tasks WHERE status <> 'pending' AND archived_at IS NULL",
    "paths": "SELECT file_path, agent_id FROM macp_ext_file_claims WHERE released_at IS NULL",
}
_END = (
    "UPDATE macp_ext_tasks SET status = 'done', archived_at = updated_at WHERE archived_at IS NULL",
    "UPDATE macp_ext_file_claims SET released_at = claimed_at, release_reason = 'released' WHERE released_at IS NULL",
)


class Count(NamedTuple):
    """Of one kind in all rounds. ``untold``: losers who were told no winner, or a wrong one; ``unowned``: nobody's."""

    double: int = 0
    unowned: int = 0
    untold: int = 0
    lost: int = 0
    won: tuple[int, ...] = (0,) * PROCESSES  # by each process

    def plus(self, other: Count) -> Count:
        """Both together."""
        return Count(
            self.double + other.double,
            self.unowned + other.unowned,
            self.untold + other.untold,
            self.lost + other.lost,
            tuple(map(sum, zip(self.won, other.won, strict=True))),
        )


class Race:
    """The processes, and a connection that lays out what they race for."""

    def __init__(self, ground: Ground) -> None:
        ground.enrol(["boss"])
        self.connection = connect(ground.path, "normal")
        self.names = [f"racer-{place}" for place in range(PROCESSES)]
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.racer", ground.path, name, way],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for name, way in zip(self.names, WAYS, strict=True)
        ]
        for process in self.processes:
            _answer(process)

    def round(self, number: int) -> dict[str, Count]:
        """All of them for new tasks and paths; who owns what."""
        ids, now = TimeOrderedIds(), SystemClock().now()
        wanted = {
            "tasks": [ids.new(now.ms) for _ in range(EACH)],
            "paths": [f"round{number}/part{place % 10}/file{place}.py" for place in range(EACH)],
        }
        with self.connection:
            self.connection.executemany(_TASK, [(task_id, now.iso, now.iso) for task_id in wanted["tasks"]]).fetchall()
        found = {kind: self._count(kind, names, self._run(kind, names)) for kind, names in wanted.items()}
        with self.connection:
            for sql in _END:
                self.connection.execute(sql).fetchall()
        return found

    def _run(self, kind: str, names: list[str]) -> dict[str, Any]:
        """What each process says."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(json.dumps([kind, names]) + "\n")
            process.stdin.flush()
        return {name: _answer(process) for name, process in zip(self.names, self.processes, strict=True)}

    def _count(self, kind: str, wanted: list[str], told: dict[str, Any]) -> Count:
        owners: dict[str, set[str]] = {name: set() for name in wanted}
        for agent, result in told.items():
            for name in result["won"]:
                owners[name].add(agent)
        for name, agent in self.connection.execute(_OWNERS[kind]):
            owners[str(name)].add(str(agent))
        winner = {name: next(iter(agents)) for name, agents in owners.items() if len(agents) == 1}
        lost = [(name, holder) for result in told.values() for name, holder in result["lost"].items()]
        return Count(
            sum(len(agents) > 1 for agents in owners.values()),
            sum(not agents for agents in owners.values()),
            sum(winner.get(name) != holder for name, holder in lost),
            len(lost),
            tuple(len(result["won"]) for result in told.values()),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()
        for process in self.processes:
            if error is not None:
                process.kill()
            process.communicate()


def measure(options: Options) -> list[Figure]:
    """Bars: nothing has two owners, and every loser is told the winner."""
    rounds = options.size(ROUNDS, 2)
    counts = dict.fromkeys(KINDS, Count())
    start = time.perf_counter()
    with Ground(options.folder) as ground, Race(ground) as race:
        for number in range(rounds):
            for kind, count in race.round(number).items():
                counts[kind] = counts[kind].plus(count)
    seconds = time.perf_counter() - start
    figures = []
    for kind, count in counts.items():
        what = f"{PROCESSES} processes, {EACH:,} {kind}, {rounds} rounds"
        beside = {
            "lost races": f"{count.lost:,}",
            "won by each process": f"{min(count.won):,} to {max(count.won):,}",
            "tasks and paths together": f"{seconds:.0f} s",
        }
        figures.append(
            Figure(f"{what}: with two owners or none", count.double + count.unowned, "", "at most", 0, beside)
        )
        figures.append(Figure(f"{what}: losers not told the winner", count.untold, "", "at most", 0))
    return figures


def _answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"a racer ended with {process.wait()}"
    return json.loads(line)
