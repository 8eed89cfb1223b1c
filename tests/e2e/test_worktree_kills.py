"""A command that is killed while it makes or removes a worktree, or integrates, loses nothing; the next one goes on."""

from __future__ import annotations

import random
from pathlib import Path

from bench.worktree_stage import OPERATIONS, Stage
from tests.rounds import rounds


def test_whatever_is_killed_the_next_call_goes_on_and_no_work_is_lost(tmp_path: Path) -> None:
    stage = Stage(tmp_path.resolve() / "stage")
    dice = random.Random(1)
    for name in dice.sample(OPERATIONS, rounds(2, len(OPERATIONS))):
        usual_s = stage.whole(name)
        _, said = stage.killed(name, dice.uniform(0.3, 0.9) * usual_s, alone=dice.random() < 0.5)
        assert said == "", name
