"""A world for each test, and the command in a repository."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.testing import World
from tests.doors.cli.conftest import comity
from tests.worlds import fresh

__all__ = ["comity", "world"]


@pytest.fixture
def world() -> Iterator[World]:
    """A database of its own."""
    with fresh() as made:
        yield made
