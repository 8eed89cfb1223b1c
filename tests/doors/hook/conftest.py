"""A repository with a project in it, and hooks called as hosts call them."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doors.cli.program import Program
from tests.doors.hook.hooked import Hooked
from tests.doors.hook.served import Door
from tests.rounds import rounds

WAYS = ("alone", "served")  # each hook does its own work, or a server does it


@pytest.fixture
def bare(tmp_path: Path) -> Hooked:
    """A repository where `comity init` never ran."""
    home, folder = tmp_path / "home", tmp_path / "garden"
    home.mkdir()
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    return Hooked(Program(folder, home))


@pytest.fixture(params=WAYS[: rounds(1, 2)])
def hooked(request: pytest.FixtureRequest, bare: Hooked) -> Iterator[Hooked]:
    """A repository with a project, whose hooks work by themselves; in every round also with a server that answers."""
    (bare.folder / ".macp").mkdir()
    if request.param == "alone":
        yield bare
        return
    with Door(bare.comity):
        yield bare
