"""Two thousand commands and edits as agents make them: who is refused, and who is not."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from comity import Workspace
from comity.testing import FakeMachine, World
from tests.rounds import rounds
from tests.shell.playground import WORK, Playground, environment, lines, written

CORPUS = Path(__file__).resolve().parents[2] / "corpus" / "commands.txt"


def corpus() -> Iterator[tuple[bool, str]]:
    """Whether each is to be refused, and what it is."""
    for line in CORPUS.read_text(encoding="utf-8").splitlines():
        if line[:2] in ("! ", "+ "):
            yield line[0] == "!", line[2:].replace("⏎", "\n")


@pytest.fixture
def peer(world: World, ann: Workspace, root: Path) -> Workspace:
    """Ann holds files, and has changed some."""
    for folder in ("lib/deeper", "docs", "src"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    ann.claim.acquire(files=["held.py", "src/held.py", "my notes.txt", "lib", "new.py"], reason="mine")
    return ann


def test_clear_writes_are_refused_and_nothing_else(peer: Workspace, bob: Workspace, root: Path, git: object) -> None:
    assert callable(git)
    for name in ("held.py", "src/held.py", "lib/util.py", "my notes.txt", "free.py", "docs/x.md"):
        (root / name).write_text("1\n")
    git("add", ".")
    git("commit", "-q", "-m", "More.")
    for name in ("held.py", "lib/util.py", "new.py"):
        (root / name).write_text("work\n")
    wrong: dict[bool, list[str]] = {True: [], False: []}
    lines = list(corpus())
    for refuse, line in lines:
        if line.startswith("edit: "):
            verdict = bob.edit.check(files=[str(root / line.removeprefix("edit: "))])
        else:
            verdict = bob.command.check(command=line, cwd=str(root))
        if verdict.allowed == refuse:
            wrong[refuse].append(line)
    assert len(lines) >= 600
    assert len({line for _, line in lines}) == len(lines)
    assert wrong[False] == [], "refused without need"
    assert wrong[True] == [], "let through"


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Playground:
    return Playground(tmp_path_factory.mktemp("ground").resolve())


@pytest.fixture
def others(ground: Playground, world: World, machine: FakeMachine, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Ann has the work of the playground in progress, and Bob stands beside her; where that is."""
    for name, value in environment(ground.first).items():
        monkeypatch.setenv(name, value)
    for folder in ("r", "wt"):
        files = [path.removeprefix(f"{folder}/") for path in WORK if path.startswith(f"{folder}/")]
        tree = "" if folder == "r" else str(ground.first / folder)
        agent = world.agent(f"ann-{folder}", root=str(ground.first / "r"), worktree=tree, observer=machine.start())
        for file in files:
            assert agent.edit.check(files=[str(ground.first / folder / file)]).allowed
            (ground.first / folder / file).write_text(f"in progress: {file}\n")
        agent.edit.landed(files=[str(ground.first / folder / file) for file in files])
    return ground.first


def asked(bob: Workspace, ground: Path, wanted: list[str]) -> dict[bool, list[str]]:
    """Lines by whether they were allowed."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for line in wanted:
        verdict = bob.command.check(command=written(line, ground), cwd=str(ground / "r"))
        found[verdict.allowed].append(line)
    return found


def test_what_takes_away_a_peers_work_is_refused(
    others: Path, world: World, machine: FakeMachine, ground: Playground
) -> None:
    bob = world.agent("bob", root=str(others / "r"), observer=machine.start())
    wanted = lines("destructive.txt")
    wanted = random.Random(3).sample(wanted, rounds(120, len(wanted)))
    assert asked(bob, others, wanted)[True] == []


def test_what_harms_nobody_is_not_refused(others: Path, world: World, machine: FakeMachine) -> None:
    bob = world.agent("bob", root=str(others / "r"), observer=machine.start())
    wanted = lines("harmless.txt")
    wanted = random.Random(3).sample(wanted, rounds(120, len(wanted)))
    assert asked(bob, others, wanted)[False] == []
