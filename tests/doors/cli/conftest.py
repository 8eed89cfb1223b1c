"""A git repository with the command in it."""

import subprocess
from pathlib import Path

import pytest

from tests.doors.cli.program import Program


@pytest.fixture
def comity(tmp_path: Path) -> Program:
    home, folder = tmp_path / "home", tmp_path / "garden"
    home.mkdir()
    folder.mkdir()
    subprocess.run(["git", "init", "-q", str(folder)], check=True, env={"HOME": str(home), "PATH": "/usr/bin:/bin"})
    return Program(folder, home)
