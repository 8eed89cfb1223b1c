"""Files that were brought along into a worktree: as long as they are as they came, they are nobody's work there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping

from comity.system import files

MOST_BYTES = 200_000_000


def digest(path: str, name: str) -> str:
    """What stands for the content of a file of a worktree; empty for one that cannot be read."""
    try:
        return hashlib.sha256(files.read(path, name, MOST_BYTES)).hexdigest()
    except OSError:
        return ""


def without(path: str, changed: Iterable[str], brought: Mapping[str, str]) -> list[str]:
    """Of the changed files of the worktree at ``path`` (absolute), those that are not as they were brought along."""
    if not brought:
        return list(changed)
    found = []
    for one in changed:
        name = os.path.relpath(one, path).replace(os.sep, "/")
        if name not in brought or not brought[name] or digest(path, name) != brought[name]:
            found.append(one)
    return found
