"""Operations on edits; hooks of agent hosts and of git ask them."""

from __future__ import annotations

import os

from comity.kernel.op import long_op
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.places import Places
from comity.rooms.edits import edit_guard
from comity.rooms.edits.model import LEASE_S, AutoLease, EditedFiles, KeepWarning, Verdict


@long_op("edit.check", effect="write", pausable=True, example={"files": ["src/parser.py"]})
def check_edit(
    steps: Steps, *, files: EditedFiles, lease_s: AutoLease = LEASE_S, keep_warning: KeepWarning = False
) -> Verdict:
    """Ask whether files may be changed now; what nobody holds is claimed for the caller, briefly.

    Files outside the repository are nobody's. An exclusive claim of a living peer refuses, and so does its uncommitted
    work; claims of other implementations and of other worktrees warn. A file that a peer changed after the caller began
    is refused once, so that it is read again. A path is a name and no pattern; folders are checked and not claimed.
    """
    verdict, warnings = Verdict(allowed=True), []
    for base, targets in _places(steps, files):
        wanted = edit_guard.wanted(base, targets, lease_s)
        verdict = edit_guard.asked(steps, base, wanted, keep_warning=keep_warning)
        if not verdict.allowed:
            return verdict
        warnings += [verdict.warning] if verdict.warning else []
    return verdict._replace(warning="\n".join(warnings))


def _places(steps: Steps, files: list[str]) -> list[tuple[Base, list[Target]]]:
    """The files by the checkout that each lies in."""
    base = paths.base_of(steps.actor)
    if not base.folder:
        return [(base, paths.sorted_out(base, files)[0])]
    named = edit_guard.not_ours(steps.actor, (os.path.join(base.folder, name) for name in files))
    links = edit_guard.also_named(steps, named)
    return list(Places(base).sorted_out([*named, *links])[0].items())
