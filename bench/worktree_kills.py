"""Worktrees and integration while the process is killed: commands, the server, and git itself.

Rounds: the real command makes a worktree, removes one (with work in it, by force), or integrates a branch; at a random
moment it is killed, alone or with the git that it started; then the next call comes. Other rounds kill ``comity serve``
while it does that for a program. With ``strace`` each tenth call that changes a file kills whoever makes it.
Counted are rounds after which work is lost, the base has a commit that was not checked, or something half made is left.

    python -m bench worktree_kills            # three quarters of an hour
    python -m bench worktree_kills --quick    # some rounds, and each 100th call
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
from collections import Counter
from pathlib import Path

from bench.figures import Figure, Options
from bench.ground import Ground
from bench.server import compile_bytecode
from bench.worktree_stage import OPERATIONS, Stage

ROUNDS, SERVED, STEP = 200, 30, 10
QUICK_ROUNDS, QUICK_SERVED, QUICK_STEP = 12, 2, 100
CALLS = "write,pwrite64,rename,mkdir,unlink,unlinkat,link,ftruncate,rmdir"


def measure(options: Options) -> list[Figure]:
    """Bar: nothing is wrong after any of the rounds."""
    compile_bytecode()
    began, wrong, came = time.perf_counter(), list[str](), Counter[str]()
    dice = random.Random(18)
    with Ground(options.folder) as ground:
        folder = Path(os.path.realpath(ground.folder))
        stage = Stage(folder / "random")
        usual = {name: stage.whole(name) for name in OPERATIONS}
        for number in range(options.size(ROUNDS, QUICK_ROUNDS)):
            name = OPERATIONS[number % len(OPERATIONS)]
            after_s, alone = dice.uniform(0, usual[name] * 1.1), dice.random() < 0.5
            killed, said = stage.killed(name, after_s, alone=alone)
            came["killed commands"] += killed
            _note(wrong, f"{name}, {'alone' if alone else 'with git'}, after {after_s:.3f} s", said)
        for number in range(options.size(SERVED, QUICK_SERVED)):
            name = OPERATIONS[number % len(OPERATIONS)]
            after_s = dice.uniform(0, usual[name])
            killed, said = stage.killed_server(name, after_s)
            came["killed servers"] += killed
            _note(wrong, f"{name}, served, after {after_s:.3f} s", said)
        if shutil.which("strace") is not None:
            stage = Stage(folder / "calls")
            for name in OPERATIONS:
                _calls(stage, name, options.size(STEP, QUICK_STEP), wrong, came)
    beside = {**{name: str(count) for name, count in came.items()}, "took": f"{time.perf_counter() - began:.0f} s"}
    what = f"worktrees and integration, {sum(came.values()):,} kills: something is wrong afterwards"
    return [Figure(what, len(wrong), "", "at most", 0, beside)]


def _calls(stage: Stage, name: str, step: int, wrong: list[str], came: Counter[str]) -> None:
    """Kill at the n-th call of each kind, until no process of the run makes that many."""
    for call in CALLS.split(","):
        number = 1
        while True:
            killed, said = stage.killed_at(name, call, number)
            if not killed:
                break
            came[f"killed at a call, {name}"] += 1
            _note(wrong, f"{name}, at {call} {number}", said)
            number += step


def _note(wrong: list[str], what: str, said: str) -> None:
    if said:
        wrong.append(f"{what}: {said}")
        print(wrong[-1], file=sys.stderr, flush=True)
