"""Every tenth hostile repository through the doors, or a few of those; `python -m bench hostile` tries all of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.git_keys import EVERY_KEY
from tests.hostile.registry import Repository
from tests.hostile.repositories import PLAIN, REPOSITORIES
from tests.hostile.trial import Trial, learn
from tests.hostile.world import World
from tests.rounds import rounds

CHOSEN = (PLAIN, *REPOSITORIES[::10][:: rounds(3, 1)])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(Path(tmp_path_factory.mktemp("hostile")).resolve())
    made.prepare()
    learn(made)
    yield made
    made.restore("template")  # pipes and devices are not kept


def test_there_are_enough_of_them() -> None:
    assert len(REPOSITORIES) >= 70
    assert len(EVERY_KEY) >= 30


@pytest.mark.parametrize("repository", CHOSEN, ids=[one.name for one in CHOSEN])
def test_nothing_runs_changes_or_hangs(world: World, repository: Repository) -> None:
    verdict = Trial(world, repository, CHOSEN.index(repository), whole=False).verdict()
    if verdict.skipped:
        pytest.skip(verdict.skipped)
    assert not verdict.faults, "\n".join(map(str, verdict.faults))
