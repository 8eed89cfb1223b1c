"""Whatever one agent's command destroys of another's uncommitted work comes back, byte for byte.

Each line of ``corpus/destroying.txt`` is asked about as a hook would; what is let through is run in a real shell. Then
the file is deleted, and git's objects are, so that only the copy is left.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rooms.rescue.ground import Ground, Tried
from tests.rounds import rounds
from tests.shell.playground import environment, lines, written
from tests.worlds import fresh

# Programs that would ask another machine, or wait for a terminal: such lines are only asked about.
AWAY = re.compile(r"\b(npx|npm|curl|wget|tmux|watch|su|emacs) ")
# What takes away the workspace itself, and with it the copies: that is refused by its letters only.
WORKSPACE = re.compile(r"clean -\w*X")


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    folder = tmp_path_factory.mktemp("destroyed").resolve()
    with fresh() as world:
        ground = Ground(folder / "ground", Path(world.path))
        yield ground
        ground.close()


@pytest.fixture(autouse=True)
def at_home(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks has the environment of the lines, and everything is as at first."""
    for name, value in environment(ground.root.parent).items():
        monkeypatch.setenv(name, value)
    ground.begin()


def chosen(name: str, few: int) -> list[str]:
    """Every line of a file in continuous integration, some of them elsewhere."""
    every = lines(name)
    return random.Random(15).sample(every, rounds(min(few, len(every)), len(every)))


def tried(ground: Ground, wanted: list[str], said: str = "") -> Iterator[tuple[str, Tried]]:
    """Try each where Ann is at work; what was let through leaves the next one a ground of its own."""
    for line in wanted:
        found = ground.try_line(written(line, ground.root.parent), said)
        if not found.refused:
            ground.begin()
        yield line, found


@pytest.mark.timeout(900)
def test_lines_that_destroy_are_refused(ground: Ground) -> None:
    found = dict(tried(ground, chosen("destroying.txt", 80)))
    assert [line for line, out in found.items() if not out.refused] == []


@pytest.mark.timeout(900)
def test_what_slips_through_is_told_to_both_and_comes_back(ground: Ground) -> None:
    slipping = lines("slipping.txt")
    assert len(slipping) * 50 <= len(slipping) + len(lines("destroying.txt")), "at most one in fifty"
    for line, found in tried(ground, slipping):
        assert (found.refused, found.gone, found.untold) == (False, [], []), line
        assert found.destroyed, line


@pytest.mark.timeout(1800)
def test_no_spelling_and_no_tool_loses_work(ground: Ground) -> None:
    """Nothing of the line is seen: it stands for a program that does the same by itself."""
    lasting = [line for line in chosen("destroying.txt", 25) if not AWAY.search(line) and not WORKSPACE.search(line)]
    destroyed = 0
    for line, found in tried(ground, lasting, "./tidy-up"):
        assert (found.gone, found.untold) == ([], []), line
        destroyed += len(found.destroyed)
    assert destroyed > len(lasting)


@pytest.mark.timeout(600)
def test_lines_that_take_nothing_are_let_through(ground: Ground) -> None:
    asking = [line for line in chosen("sparing.txt", 30) if not AWAY.search(line)]
    assert {line: out for line, out in tried(ground, asking) if out.refused or out.destroyed} == {}
