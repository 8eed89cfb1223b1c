"""Other names of files that others hold or have work in: whoever writes to a hard link writes to the file."""

from __future__ import annotations

import os
from collections.abc import Iterable

from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims.overlaps import Held
from comity.rooms.edits import progress
from comity.rooms.edits.sight import path_of
from comity.rooms.turns import speaker
from comity.system.checkouts import here

_MOST = 2000


def named_too(steps: Steps, paths: Iterable[str]) -> list[str]:
    """Absolute paths of files of the project that these paths are second names of."""
    wanted = {number: path for path in paths if (number := _number(path)) is not None}
    if not wanted:
        return []
    known = steps.read(_watched)
    return [path for path in known if path not in wanted.values() and _number(path) in wanted]


def _number(path: str) -> tuple[int, int] | None:
    """What tells the file from every other one, when it has several names."""
    try:
        seen = os.stat(path)
    except (OSError, ValueError):
        return None
    return (seen.st_dev, seen.st_ino) if seen.st_nlink > 1 else None


def _watched(scope: Scope) -> list[str]:
    """Files that somebody holds by name, or has work in, or was let edit."""
    scope = speaker.find(scope) or scope
    rows = scope.tx.all("claims.active", second=scope.now.second, agent_id=None, limit=_MOST)
    held = [one for one in map(Held.read, rows) if one.mode == "exclusive" and one.repository]
    paths = [os.path.join(here(one.worktree or one.repository or ""), one.file_path) for one in held]
    works = [path_of(one) for one in progress.works(scope)]
    return list(dict.fromkeys([*paths, *works]))
