"""Agents in one checkout that is a real git repository."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from comity import Workspace
from comity.testing import FakeMachine, World

Git = Callable[..., str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with a commit: a.py, b.py and src/c.py."""
    folder = tmp_path.resolve() / "repo"
    (folder / "src").mkdir(parents=True)
    for name in ("a.py", "b.py", "src/c.py"):
        (folder / name).write_text(f"{name}\n")
    (folder / ".gitignore").write_text(".macp/\n*.log\n")
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin."]):
        run(folder, *arguments)
    return folder


def run(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def git(root: Path) -> Git:
    return lambda *arguments: run(root, *arguments)


@pytest.fixture
def machine() -> FakeMachine:
    return FakeMachine()


@pytest.fixture
def ann(world: World, root: Path, machine: FakeMachine) -> Workspace:
    return world.agent("ann", root=str(root), name="Ann", observer=machine.start())


@pytest.fixture
def bob(world: World, root: Path, machine: FakeMachine) -> Workspace:
    return world.agent("bob", root=str(root), observer=machine.start())
