"""Ending attempts whose process was killed: what had landed is told, and a move by halves is taken back."""

from __future__ import annotations

import os

from comity.kernel.quoting import quoted
from comity.kernel.steps import Steps
from comity.rooms.integration import ending, landing, rows
from comity.rooms.integration.model import Integration
from comity.rooms.integration.rows import Attempt
from comity.rooms.worktrees import holding, survey
from comity.rooms.worktrees.model import FOLDER
from comity.rooms.worktrees.rows import is_own
from comity.system import git_worktrees
from comity.system.git_change import GitChange
from comity.system.repository import Repository


def mend(steps: Steps) -> list[str]:
    """End them; what was done, a line for each. Conflict ``integration.busy`` where the git of one still runs."""
    dead = steps.read(rows.interrupted)
    if not dead:
        return []
    own = any(steps.read(is_own, one.process) for one in dead)
    with holding.of(steps.actor, "") as held:
        if not held.take(0 if own else holding.WAIT_S) or (own and not held.kept):
            raise rows.busy(dead[0].agent_id, dead[0].base)
        there = survey.main_repository(steps.actor)
        return [_end(steps, there, one, held.kept) for one in steps.read(rows.interrupted)]


def _end(steps: Steps, there: Repository, one: Attempt, keeps: tuple[int, ...]) -> str:
    ended = rows.integration(one)
    landing.clear_locks(there, one.base)
    landed = one.state == "landing" and landing.has_landed(there, one.base, ended.after)
    if one.state == "landing" and not landed:
        landing.take_back(there, one.base, ended.before, ended.after)
    path = os.path.join(os.path.realpath(steps.actor.root), one.scratch)
    if one.scratch.startswith(f"{FOLDER}/"):
        git_worktrees.take_away(GitChange(there, keeps=keeps), git_worktrees.at(there, path))
    if not landed:
        ended = Integration(one.integration_id, one.base, "interrupted", [], ended.before, ended.before)
    steps.write(ending.end, ended._replace(state="landed" if landed else "interrupted"))
    became = "it had landed." if landed else "it did not land; what was left of it is gone."
    return f"Integration into {quoted(one.base)}: {became}"
