"""Hostile repositories through every door: nothing is executed, nothing outside changes, nothing hangs, all is named.

Each repository of ``tests/hostile`` is built in a home of its own, as a checked-out branch or an unpacked archive would
bring it. Then every hook of every host, ``mcp``, ``serve``, ``status``, ``doctor``, ``init`` and the canary run there
as processes with bounds on memory and time. What they may not touch is compared before and after. Faults go to standard
error, a line each.

    python -m bench hostile              # all of them, five minutes
    python -m bench hostile --quick      # every tenth
    python -m tests.hostile NAME --said  # one, and what its doors say
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from bench.figures import Figure, Options
from tests.hostile.registry import Repository
from tests.hostile.repositories import PLAIN, REPOSITORIES
from tests.hostile.trial import Fault, Trial, Verdict, learn
from tests.hostile.world import World

WORKERS = 2
_TENTH = 10
_BARS = (
    ("programs that a repository had executed", "executed"),
    ("doors that changed something outside the checkout", "changed outside"),
    ("doors that hung for more than 2 s", "hung"),
    ("things set aside that nobody names", "unnamed"),
    ("doors that answered wrongly", "answered wrongly"),
)


def measure(options: Options) -> list[Figure]:
    """Two workers share the repositories."""
    chosen = REPOSITORIES[:: _TENTH if options.quick else 1]
    with tempfile.TemporaryDirectory(prefix="comity-hostile-", dir=options.folder) as folder:
        verdicts = _all([PLAIN, *chosen], Path(os.path.realpath(folder)))
    faults = [fault for verdict in verdicts for fault in verdict.faults]
    kinds = Counter(fault.kind for fault in faults)
    processes = sum(verdict.processes for verdict in verdicts)
    slowest = max(verdicts, key=lambda verdict: verdict.slowest_ms)
    skipped = [verdict.repository for verdict in verdicts if verdict.skipped]
    what = f"{len(chosen):,} hostile repositories"
    beside = {"processes": f"{processes:,}", "left out, for want of rights": ", ".join(skipped) or "none"}
    longest = {
        "which": f"{slowest.slowest} in {slowest.repository}",
        "load of the machine": f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors",
    }
    return [
        Figure("hostile repositories", len(chosen) - len(skipped), "", "at least", 6 if options.quick else 60, beside),
        *(Figure(f"{what}: {title}", kinds[kind], "", "at most", 0) for title, kind in _BARS),
        Figure(f"{what}: the slowest door", slowest.slowest_ms, " ms", "at most", 2000, longest),
    ]


def _all(repositories: list[Repository], folder: Path) -> list[Verdict]:
    """The verdicts in order; a machine for each worker."""
    free: SimpleQueue[World] = SimpleQueue()
    for number in range(WORKERS):
        world = World(folder / f"machine-{number}")
        world.prepare()
        learn(world)
        free.put(world)

    def one(number: int) -> Verdict:
        world = free.get()
        try:
            verdict = Trial(world, repositories[number], number, whole=True).verdict()
            _print(verdict.faults)
            return verdict
        finally:
            free.put(world)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(one, range(len(repositories))))


def _print(faults: list[Fault]) -> None:
    """Said at once: the whole takes minutes."""
    print("".join(f"{fault.kind}: {fault}\n" for fault in faults), end="", file=sys.stderr, flush=True)
