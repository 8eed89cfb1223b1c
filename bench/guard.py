"""Agents that edit the same files: what they overwrite of each other's work with the guard, and without it.

Two to eight scripted agents work in one real git repository. Each reads a file, thinks, and writes it back with a line
of its own. In three of four schedules some of them write by ``sed``, ``cp``, ``mv``, ``make`` and programs that nobody
can read, remove files, change branches, sweep (``git stash``, ``git clean``, ``rm -rf`` and more), and work in linked
checkouts. A seeded schedule says who acts next, so that reading, asking and writing interleave. An edit is overwritten
when a line of one agent that lives, and that is not committed, disappears by what another one does. What a program
destroys by itself cannot be refused: of that a copy must be kept, and both must be told. A schedule that does not come
to its end is a deadlock.

With the guard everything is asked for as Claude Code asks: ``comity hook claude-code PreToolUse`` with the host's JSON.
The first schedules run the installed executable; the others the same program in a process of its own for each call,
forked from one that has loaded it.

    python -m bench guard                            # a thousand schedules
    python -m bench guard --quick                    # fifty, all with the executable
    python -m bench.guard --seeds 17 18 --executable # one again
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.figures import Figure, Options
from bench.guard_hooks import Hooks
from bench.guard_plans import plan
from bench.guard_stage import Stage, repository

SCHEDULES, EXECUTABLE, QUICK = 1000, 50, 50
WORKERS = 2
_TOLD = 50  # schedules between two words about how far it is
_USUAL_EVERY = 4  # schedules of which one has no shell writers, branches and checkouts
_MINE = ("MACP_", "COMITY_", "CLAUDE", "GEMINI")
_AUTHOR = {f"GIT_{who}_{what}": "bench@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
_BAD = ("overwritten", "without a copy", "untold")


def run_seeds(seeds: range, executable: int, folder: Path) -> dict[str, Any]:
    """Each seed with the guard and without it. Seeds below ``executable`` run the installed program."""
    template = folder / "template"
    repository(template)
    program = "import sys; from comity.store.sqlite import SqliteStore; SqliteStore(sys.argv[1]).close()"
    subprocess.run([sys.executable, "-c", program, template / ".macp/bench.macp.db"], check=True)
    total: Counter[str] = Counter()
    bad: list[int] = []
    for place, seed in enumerate(seeds):
        if place and place % _TOLD == 0:
            print(f"{place} of {len(seeds)} schedules, {len(bad)} bad", file=sys.stderr, flush=True)
        for guarded in (True, False):
            ground = folder / "ground"
            root = ground / "repository"
            shutil.copytree(template, root)
            made = plan(random.Random(seed), wide=seed % _USUAL_EVERY != 0)
            hooks = Hooks(root, seed < executable) if guarded else None
            stage = Stage(root, made, hooks)
            ended = stage.play(random.Random(f"order {seed}"))
            way = "guarded" if guarded else "bare"
            total.update({f"{way} {name}": count for name, count in stage.found.items()})
            total[f"{way} deadlocks"] += not ended
            total[f"{way} schedules hurt"] += bool(stage.found["overwritten"] or stage.found["destroyed by programs"])
            total[f"{way} edits"] += sum(task.named for tasks in made.tasks for task in tasks)
            if hooks is not None:
                total.update(stage.told)
                total["wide"] += made.wide
                total["calls"] += hooks.calls
                total["hooks that failed"] += hooks.failed()
                if not ended or any(stage.found[name] for name in _BAD):
                    bad.append(seed)
            shutil.rmtree(ground)
    return {"total": dict(total), "bad": bad}


def measure(options: Options) -> list[Figure]:
    """Two workers share the seeds."""
    count = options.size(SCHEDULES, QUICK)
    began, workers = time.perf_counter(), []
    for place in range(WORKERS):
        given = [str(place), str(count), "--step", str(WORKERS), "--with-executable", str(EXECUTABLE)]
        arguments = [sys.executable, "-m", "bench.guard", "--seeds", *given]
        workers.append(subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True))
    total: Counter[str] = Counter()
    bad: list[int] = []
    for worker in workers:
        found = json.loads(worker.communicate()[0])
        total.update(found["total"])
        bad += found["bad"]
    real = min(EXECUTABLE, count)
    bare = total["bare overwritten"] + total["bare destroyed by programs"]
    beside = {
        "the same schedules without the guard": f"{bare:,} overwritten edits of"
        f" {total['bare edits']:,}, in {total['bare schedules hurt']} schedules",
        "told": f"{total['refused']:,} times that a peer holds it, {total['must read again']:,} times to read it again",
        "hooks": f"{total['calls']:,} calls, {total['hooks that failed']} failed; {real} schedules with the executable",
        "took": f"{(time.perf_counter() - began) / 60:.0f} minutes",
    }
    if bad:
        beside["seeds"] = ", ".join(map(str, bad[:20]))
    programs = {
        "destroyed by programs that nobody can read": f"{total['guarded destroyed by programs']:,}",
        "removed after its agent had gone": f"{total['guarded removed after its agent had gone']:,}",
        "of that untold, beside commands of others": f"{total['guarded untold beside commands of others']:,}",
    }
    what = f"{count:,} schedules of 2 to 8 agents on the same files, {total['wide']:,} of them with shell writers,"
    what += " programs, branches, sweeps and linked checkouts"
    return [
        Figure(f"{what}: overwritten edits with the guard", total["guarded overwritten"], "", "at most", 0, beside),
        Figure(f"{what}: work gone without a copy", total["guarded without a copy"], "", "at most", 0, programs),
        Figure(f"{what}: work destroyed and not told", total["guarded untold"], "", "at most", 0),
        Figure(f"{what}: deadlocks", total["guarded deadlocks"], "", "at most", 0),
    ]


def main() -> None:
    """Some seeds, as JSON."""
    parser = argparse.ArgumentParser(description="Play schedules of agents that edit the same files.")
    parser.add_argument("--seeds", nargs=2, type=int, default=(0, 10), metavar=("FROM", "TO"))
    parser.add_argument("--step", type=int, default=1)
    parser.add_argument("--with-executable", type=int, default=0, metavar="N", help="for seeds below N")
    parser.add_argument("--executable", action="store_true", help="for all seeds")
    given = parser.parse_args()
    for name in list(os.environ):
        if name.startswith(_MINE):
            del os.environ[name]
    os.environ.update(_AUTHOR)
    executable = sys.maxsize if given.executable else given.with_executable
    with tempfile.TemporaryDirectory(prefix="comity-guard-") as folder:
        found = run_seeds(range(given.seeds[0], given.seeds[1], given.step), executable, Path(os.path.realpath(folder)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
