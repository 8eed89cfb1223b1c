"""Agents in one checkout that is a real git repository, with tasks to be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity import Workspace
from comity.testing import FakeMachine, World
from tests.rooms.edits.conftest import git, machine, root

__all__ = ["ann", "bob", "git", "machine", "root", "store", "world"]


@pytest.fixture
def store(root: Path) -> Path:
    """The folder of the database."""
    folder = root / ".macp"
    folder.mkdir()
    return folder


@pytest.fixture
def world(store: Path) -> World:
    return World(store / "shop.macp.db")


@pytest.fixture
def ann(world: World, root: Path, machine: FakeMachine) -> Workspace:
    made = world.agent("ann", root=str(root), name="Ann", observer=machine.start(), database=world.path)
    for title in ("Parser", "Lexer", "Printer"):
        made.task.dispatch(title=title)
    return made


@pytest.fixture
def bob(world: World, root: Path, machine: FakeMachine) -> Workspace:
    return world.agent("bob", root=str(root), observer=machine.start(), database=world.path)
