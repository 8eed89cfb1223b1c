"""Who is at it: one process at a time makes or removes a worktree, or brings branches home, with the git it starts.

A row tells which process it is; a held file tells, besides, that a git that outlives its killed process is at it still.
"""

from __future__ import annotations

import hashlib
import os

from comity.kernel.problem import Conflict
from comity.kernel.quoting import quoted
from comity.kernel.scope import Actor
from comity.system import files
from comity.system.held_file import HeldFile

FOLDER = "worktrees"  # the folder of held files, next to the database
WAIT_S = 60.0


def of(actor: Actor, name: str) -> HeldFile:
    """The held file of a worktree; that of integration for an empty name."""
    base = os.path.dirname(actor.database) if actor.database else ""
    if base:
        try:
            files.make_folder(base, FOLDER)
        except OSError:
            base = ""
    short = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return HeldFile(os.path.join(base, FOLDER) if base else os.devnull, f"{short}.lock")


def require(held: HeldFile, name: str) -> None:
    """Hold it, or raise Conflict ``worktree.busy`` after a minute."""
    if not held.take(WAIT_S):
        told = f"Somebody is making or removing {quoted(name)} just now, or the git of a killed process is."
        raise Conflict("worktree.busy", told, "Ask again when it is done: `worktree.list` shows it.")
