"""One server for the tests of a file; those that end or spoil theirs start their own with ``running.serving``."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.doors.http.byhand import Speak, Speaker
from tests.doors.http.running import Server, repository, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running server on an empty repository, open to this machine."""
    with serving(repository(tmp_path_factory.mktemp("served"))) as running:
        yield running


@pytest.fixture
def speak() -> Iterator[Speak]:
    """Opens MCP sessions by hand; their connections are closed at the end."""
    opened: list[Speaker] = []

    def make(*arguments: Any, **options: Any) -> Speaker:
        opened.append(Speaker(*arguments, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
