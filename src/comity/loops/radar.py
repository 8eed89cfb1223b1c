"""Looks with the radar when a checkout changed: one process of the workspace does it, the others stand by."""

from __future__ import annotations

import os
import time

from comity.loops.loop import Loop
from comity.system import git_refs, git_worktrees, repository
from comity.system.fingerprints import stamp
from comity.workspace import Workspace

PERIOD_S = 0.5
_STAND_BY_S = 5.0  # how often others see whether it is their turn
_ANEW_S = 60.0  # how often everything is looked at, for changes that leave no mark
_TURN_MS = 15_000
_SETTLE_S = 0.2  # what changed just now may be half of it


class RadarWatch(Loop):
    """Looks twice a second at git's files of each checkout, which costs a read each; git runs when one has changed."""

    name = "radar"
    period_s = PERIOD_S
    jitter = 0.2

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self._mark = ""
        self._turn_until = self._next_turn = self._anew = 0.0

    def look(self) -> None:
        """When something changed, have the radar look."""
        now = time.monotonic()
        if now >= self._turn_until and not self._take_turn(now):
            return
        mark = self._marks()
        if mark is None or (mark == self._mark and now < self._anew):
            return
        if self._mark and mark != self._mark and self._stop.wait(_SETTLE_S):
            return
        anew = now >= self._anew
        self._workspace.call("radar.look", {"anew": anew})
        self._mark = mark
        if anew:
            self._anew = time.monotonic() + _ANEW_S

    def _take_turn(self, now: float) -> bool:
        """Whether it is this process that looks; asked for now and then only."""
        if now < self._next_turn:
            return False
        self._next_turn = now + _STAND_BY_S
        if not self._workspace.call("radar.turn", {"turn_ms": _TURN_MS}).yours:
            return False
        self._turn_until = now + _STAND_BY_S
        self._next_turn = 0.0
        return True

    def _marks(self) -> str | None:
        """What git's files of the checkouts look like, and what agents are known to have changed; None: there is one
        checkout only.
        """
        there = repository.around(self._workspace.actor.root)
        if there is None:
            return None
        places = git_worktrees.listed(there)
        if len(places) < 2:
            return None
        seen = [f"{one.path} {one.commit} {stamp(os.path.join(one.private, 'index'))}" for one in places]
        branches = git_refs.below(there, "refs/heads/")
        changes = self._workspace.call("radar.changes", {}).changed_ms
        return "\n".join([*seen, *map(" ".join, sorted(branches.items())), str(changes)])
