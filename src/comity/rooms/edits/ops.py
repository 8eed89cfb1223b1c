"""Operations on edits; hooks of agent hosts and of git ask them."""

from __future__ import annotations

import os

from comity.kernel.op import long_op
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits import guarding
from comity.rooms.edits.model import LEASE_S, AutoLease, EditedFiles, Verdict


@long_op("edit.check", effect="write", example={"files": ["src/parser.py"]})
def check_edit(steps: Steps, *, files: EditedFiles, lease_s: AutoLease = LEASE_S) -> Verdict:
    """Ask whether files may be changed now; what nobody holds is claimed for the caller, briefly.

    Files outside the repository are nobody's. An exclusive claim of a living peer refuses; claims of other
    implementations and of other worktrees warn. A file that a peer changed after the caller began is refused once, so
    that it is read again. Folders and globs are checked and not claimed.
    """
    base = paths.base_of(steps.actor)
    targets, _ = paths.sorted_out(base, files)
    wanted = _wanted(base, targets, lease_s)
    if not wanted.every:
        return Verdict(allowed=True)
    known = steps.read(guarding.own, base, wanted)
    return known if known is not None else steps.write(guarding.check, base, wanted)


def _wanted(base: Base, targets: list[Target], lease_s: int) -> guarding.Wanted:
    """Whatever is no folder on the disk is a file, whatever its name looks like."""
    files, wide = [], []
    for target in targets:
        folder = target.tree and os.path.isdir(os.path.join(base.folder, target.path))
        if folder or "*" in target.path or "?" in target.path:
            wide.append(target)
        else:
            files.append(Target(target.path, tree=False))
    return guarding.Wanted(files, wide, lease_s)
