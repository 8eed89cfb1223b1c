"""The real hosts are driven by ``make hosts``, which installs them first; other runs leave these tests alone."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.e2e.hosts.driving import Stage
from tests.e2e.hosts.programs import FOLDER

collect_ignore_glob = [] if FOLDER in os.environ else ["test_*.py"]


@pytest.fixture
def bare_stage(tmp_path: Path) -> Stage:
    """A repository in which ``init`` has not run."""
    repo = tmp_path / "repo"
    repo.mkdir()
    subprocess.run(["git", "init", "-q", str(repo)], check=True)
    return Stage(repo, tmp_path, ready=False)


@pytest.fixture
def stage(bare_stage: Stage) -> Stage:
    bare_stage.init()
    return bare_stage
