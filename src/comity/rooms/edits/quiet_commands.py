"""Commands that changed nothing, which most are: seen from times and fingerprints, with next to nothing loaded."""

from __future__ import annotations

import os
import re

from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.kernel.text import read_object
from comity.rooms.claims.paths import Base
from comity.rooms.edits import looks
from comity.rooms.edits.looks import Before
from comity.rooms.turns import speaker
from comity.system import changed_files, repository
from comity.system.changed_files import Tree
from comity.system.fingerprints import differ, fingerprint
from comity.system.repository import Repository

_LEAVES = re.compile(r"(?:^|[\s=:'\"<>(])[/~]|\.\.|\$|`|\bcd\b|\bpushd\b|\s-C")  # where it runs, as far as letters tell
# What git writes in its folder when HEAD moves.
_HEADS = ("HEAD", "logs/HEAD", "index", "ORIG_HEAD", "packed-refs", "refs/heads")


def was_quiet(steps: Steps, base: Base, command: str) -> bool:
    """Whether the command that was looked at changed nothing, for certain; then its look is closed."""
    there = repository.around(base.folder) if base.folder else None
    if there is None or there.bare or may_leave(there, command):
        return False
    looked, tree = steps.read(_known, base)
    if looked is None or tree is None or not looked.mark_ns:
        return False
    if any(differ(seen, fingerprint(os.path.join(base.folder, path))) for path, seen in looked.prints.items()):
        return False
    if _since(there.private, looked.mark_ns) or not changed_files.is_quiet(there, looked.mark_ns, tree):
        return False
    steps.write(_close, command)
    return True


def may_leave(there: Repository, command: str) -> bool:
    """Whether a line may have written in another checkout than this one."""
    return _LEAVES.search(command) is not None or os.path.isdir(os.path.join(there.common, "worktrees"))


def _known(scope: Scope, base: Base) -> tuple[Before | None, Tree | None]:
    """The open look, and what git did not know; none where the line itself was let change files, or sweeps."""
    scope = speaker.seen(scope)
    agent = {"agent_id": scope.actor.agent_id}
    if scope.tx.one("edits.sweep_runs", **agent) is not None or scope.tx.one("edits.asks_by_line", **agent) != (0,):
        return None, None
    row = scope.tx.one("edits.tree", repository=base.repository, worktree=base.worktree)
    known = changed_files.tree_of(read_object(row[0]) if row is not None else None)
    return looks.opened(scope), known


def _since(git_folder: str, mark_ns: int) -> bool:
    """Whether HEAD may have moved since."""
    seen = (changed_files.times_ns(os.path.join(git_folder, name)) for name in _HEADS)
    return any(times is not None and max(times) >= mark_ns for times in seen)


def _close(scope: Scope, command: str) -> None:
    looks.close(speaker.settle(scope), command)
