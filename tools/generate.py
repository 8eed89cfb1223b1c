"""Writes what is generated: the lists of operations first, then what their definitions tell.

``python -m tools.generate`` writes the files; with ``--check`` it writes nothing and fails when one is not current. The
second part imports Comity, which reads the list that the first part writes, so it runs in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tools import operation_table

ROOT = Path(__file__).resolve().parent.parent


def settle(files: Mapping[Path, str], present: Iterable[Path] = ()) -> int:
    """Write files that are not current and remove those that are ``present`` and not wanted; 1 if a check finds one."""
    stale = [path for path, text in files.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    extra = sorted({*present} - files.keys())
    if "--check" in sys.argv[1:]:
        for path in stale + extra:
            print(f"not current: {path.relative_to(ROOT)} (run `make generate`)")
        return 1 if stale or extra else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8")
    for path in extra:
        path.unlink()
    return 0


def main() -> int:
    """Both parts; the exit code."""
    listed = settle(operation_table.files())
    told = subprocess.run([sys.executable, "-m", "tools.documents", *sys.argv[1:]], cwd=ROOT, check=False).returncode
    return listed or told


if __name__ == "__main__":
    sys.exit(main())
