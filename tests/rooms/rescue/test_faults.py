"""While the disk is full, broken or closed, and while the process dies: a copy is whole or absent, and nothing of the
user's is touched.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from comity.rooms.rescue import restoring
from comity.system.copies import Copies
from comity.system.fingerprints import stamp
from tests.system.faults import DONE, ERRORS, outcomes

BIG = b"line\n" * 100_000
NEW = b"as it was kept\n" * 50_000


def ground(base: Path, number: int) -> Path:
    """A checkout of its own for each number, with a file and a link of the user's."""
    root = base / str(number)
    root.mkdir()
    (root / "user.py").write_bytes(BIG)
    (root / "other.py").write_text("another\n")
    (root / "link").symlink_to("other.py")
    return root


@pytest.mark.parametrize("fault", ERRORS)
def test_a_copy_is_whole_or_absent(tmp_path: Path, fault: str) -> None:
    def keep(number: int) -> None:
        root = ground(tmp_path, number)
        for name in ("user.py", "link"):
            Copies(str(root), durable=True).keep_file(str(root / name), len(BIG))

    tried = 0
    for number, came in outcomes(fault, keep):
        root = tmp_path / str(number)
        if not (root / "link").is_symlink():
            continue  # the ground itself was not made
        tried += 1
        copies = Copies(str(root))
        found = [path for path in (root / "copies").glob("??/*") if not path.name.startswith("new-")]
        assert all(copies.read(path.parent.name + path.name) in (BIG, b"other.py") for path in found)
        assert came != DONE or len(found) <= 2
        assert (root / "user.py").read_bytes() == BIG
        assert os.readlink(root / "link") == "other.py"
        for name in ("user.py", "link"):
            kept = copies.keep_file(str(root / name), len(BIG))
            assert kept is not None
            assert copies.has(kept.content), "the next time it is kept"
    assert tried > 20


@pytest.mark.parametrize("fault", ERRORS)
@pytest.mark.parametrize("target", ["user.py", "link", "new/folder/file.py"])
def test_a_file_is_given_back_whole_or_stays_as_it_is(tmp_path: Path, target: str, fault: str) -> None:
    mode, data = (stat.S_IFLNK | 0o777, b"user.py") if target == "link" else (0o750, NEW)

    def restore(number: int) -> None:
        root = ground(tmp_path, number)
        restoring.put(str(root), target, data, mode, stamp(str(root / target)))

    tried = 0
    for number, came in outcomes(fault, restore):
        root = tmp_path / str(number)
        if not (root / "link").is_symlink():
            continue
        tried += 1
        now = restoring.present(str(root / target))
        before = {"user.py": BIG, "link": b"other.py"}.get(target, b"")
        assert now.data in (before, data)
        assert came != DONE or now.has(data, mode)
        assert (root / "other.py").read_text() == "another\n"
        beside = {path.name for path in root.rglob("*")} - {"user.py", "other.py", "link", "new", "folder", "file.py"}
        assert all(".comity-" in name for name in beside)
        assert len(beside) <= 1
        restoring.put(str(root), target, data, mode, stamp(str(root / target)))
        assert restoring.present(str(root / target)).has(data, mode)
    assert tried > 5
