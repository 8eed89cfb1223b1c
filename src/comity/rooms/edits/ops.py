"""Operations on edits; hooks of agent hosts and of git ask them."""

from __future__ import annotations

from comity.kernel.op import long_op
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.edits import edit_guard
from comity.rooms.edits.model import LEASE_S, AutoLease, EditedFiles, KeepWarning, Verdict


@long_op("edit.check", effect="write", example={"files": ["src/parser.py"]})
def check_edit(
    steps: Steps, *, files: EditedFiles, lease_s: AutoLease = LEASE_S, keep_warning: KeepWarning = False
) -> Verdict:
    """Ask whether files may be changed now; what nobody holds is claimed for the caller, briefly.

    Files outside the repository are nobody's. An exclusive claim of a living peer refuses; claims of other
    implementations and of other worktrees warn. A file that a peer changed after the caller began is refused once, so
    that it is read again. Folders and globs are checked and not claimed.
    """
    base = paths.base_of(steps.actor)
    targets, _ = paths.sorted_out(base, files)
    return edit_guard.asked(steps, base, edit_guard.wanted(base, targets, lease_s), keep_warning=keep_warning)
