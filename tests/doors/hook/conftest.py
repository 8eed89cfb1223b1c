"""A repository with a project in it, and hooks called as hosts call them."""

import subprocess
from pathlib import Path

import pytest

from tests.doors.cli.program import Program
from tests.doors.hook.hooked import Hooked


@pytest.fixture
def bare(tmp_path: Path) -> Hooked:
    """A repository where `comity init` never ran."""
    home, folder = tmp_path / "home", tmp_path / "garden"
    home.mkdir()
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    return Hooked(Program(folder, home))


@pytest.fixture
def hooked(bare: Hooked) -> Hooked:
    """A repository with a project."""
    (bare.folder / ".macp").mkdir()
    return bare
