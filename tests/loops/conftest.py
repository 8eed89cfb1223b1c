"""A world for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.testing import World
from tests.worlds import fresh


@pytest.fixture
def world() -> Iterator[World]:
    """A database of its own, a clock that stands still, no agents yet."""
    with fresh() as made:
        yield made
