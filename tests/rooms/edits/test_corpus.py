"""Three hundred commands and edits as agents make them: who is refused, and who is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from comity import Workspace
from comity.testing import World

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
