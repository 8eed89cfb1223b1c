"""A newcomer adds an operation where AGENTS.md says, in a copy of the tree, and all that concerns it is green."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

OPERATION = '''

class NoteCount(NamedTuple):
    """How many goals somebody has noted down."""

    notes: int


@op("note.count", effect="read", example={"status": "active"})
def count_notes(scope: Scope, *, status: GoalStatus | None = None) -> NoteCount:
    """Count the goals that are noted down, in all states or in one."""
    row = scope.tx.one("goals.count_notes", status=status)
    assert row is not None
    return NoteCount(row[0])
'''
SQL = """
-- name: count_notes
SELECT count(*) FROM macp_ext_goals WHERE :status IS NULL OR status = :status
"""
TEST = '''"""Counting notes."""

from __future__ import annotations

from comity.testing import World


def test_notes_are_counted_by_status(world: World) -> None:
    ann = world.agent("ann")
    ann.goal.create(type="mission", title="A better parser")
    assert ann.note.count() == ann.note.count(status="active") == (1,)
    assert ann.note.count(status="completed") == (0,)
'''
IMPORT = "from comity.kernel.op import op\n"
TOUCHED = ("src/comity/rooms/goals", "src/comity/rooms/operations.py", "src/comity/api.pyi", "tests/rooms/goals")
CHECKS = (
    *("tests/rooms/goals/test_note_count.py", "tests/test_house.py", "tests/test_api.py", "tests/test_reference.py"),
    *("tests/kernel/test_shape.py", "tests/server/auth/test_grants.py", "tests/rooms/lifecycle/test_reads.py"),
    *("tests/sim/test_faults.py", "tests/sim/test_answers.py", "tests/e2e/test_parity.py"),
)
# Whole files where every operation is looked at in one test, and elsewhere what is about this one.
ABOUT_IT = "note or test_house or test_api or test_grants or every_operation or on_the_page or is_explained"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The tree as it is, with everything that is about to be committed, as a repository of its own."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    folder = tmp_path / "copy"
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def run(folder: Path, *arguments: str) -> None:
    """A module of this interpreter on the copy; it must end well."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**own, "PYTHONPATH": str(folder / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(arguments)}:\n{done.stdout[-5000:]}{done.stderr[-2000:]}"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_an_operation_is_added_in_three_places(copy: Path) -> None:
    room = copy / "src/comity/rooms/goals"
    ops, sql = room / "ops.py", room / "queries.sql"
    written = ops.read_text(encoding="utf-8")
    assert IMPORT in written
    named = "" if "import NamedTuple" in written else "from comity.kernel.named_tuple import NamedTuple\n"
    ops.write_text(written.replace(IMPORT, named + IMPORT) + OPERATION, encoding="utf-8")
    sql.write_text(sql.read_text(encoding="utf-8") + SQL, encoding="utf-8")
    (copy / "tests/rooms/goals/test_note_count.py").write_text(TEST, encoding="utf-8")

    run(copy, "tools.generate")
    run(copy, "tools.generate", "--check")
    assert "# note.count\n" in (copy / "docs/reference/note.count.md").read_text(encoding="utf-8")
    run(copy, "ruff", "format", "--check", *TOUCHED)
    run(copy, "ruff", "check", *TOUCHED)
    run(copy, "pytest", "-q", "-p", "no:cacheprovider", *CHECKS, "-k", ABOUT_IT)
