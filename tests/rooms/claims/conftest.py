"""Agents in one checkout."""

from __future__ import annotations

from pathlib import Path

import pytest

from comity import Workspace
from comity.testing import World


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout: src/ with a file, docs/, and a link to each of them."""
    for folder in ("repo/.git", "repo/src", "repo/docs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "repo/src/a.py").touch()
    (tmp_path / "repo/linked").symlink_to("src")
    (tmp_path / "repo/linked.py").symlink_to("src/a.py")
    (tmp_path / "repo/out").symlink_to(tmp_path)
    (tmp_path / "repo/loop").symlink_to("loop")
    return (tmp_path / "repo").resolve()


@pytest.fixture
def ann(world: World, root: Path) -> Workspace:
    return world.agent("ann", root=str(root), name="Ann")


@pytest.fixture
def bob(world: World, root: Path) -> Workspace:
    return world.agent("bob", root=str(root))
