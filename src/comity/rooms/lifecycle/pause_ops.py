"""Operations that hold the whole workspace up and let it go on."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.lifecycle import pause
from comity.rooms.lifecycle.model import Minutes, Paused, PauseReason, Resumed


@op("workspace.pause", effect="write", example={"reason": "The main branch is being repaired.", "minutes": 30})
def pause_workspace(scope: Scope, *, reason: PauseReason = "", minutes: Minutes | None = None) -> Paused:
    """Pause the workspace: nobody takes, adds or finishes work, claims files or edits them.

    It lasts until somebody resumes, or for so many minutes. Reading, messages, memory, releasing and leaving stay
    possible. Whoever is held up is told by whom, why and since when: Conflict ``workspace.paused``. Pausing again
    replaces the pause that lasts.
    """
    return pause.begin(scope, reason, minutes)


@op("workspace.resume", effect="write", example={})
def resume_workspace(scope: Scope) -> Resumed:
    """Let the workspace go on after a pause; nothing happens when there is none."""
    return pause.end(scope)
