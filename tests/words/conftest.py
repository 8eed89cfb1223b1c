"""A world for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from comity.testing import World


@pytest.fixture
def world() -> Iterator[World]:
    """A database of its own, a clock that stands still, no agents yet."""
    with World() as made:
        yield made
