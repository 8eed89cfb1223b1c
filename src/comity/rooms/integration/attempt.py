"""One attempt: everything on top of each other, checked together; what breaks it is found by halving, the rest lands.

The base moves once, at the end, and only to a commit whose check passed. Whoever is killed before leaves a scratch
worktree and a row, which the next attempt takes away.
"""

from __future__ import annotations

import os

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, Unavailable
from comity.kernel.quoting import quoted
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.integration import candidates, ending, landing, mending, rows
from comity.rooms.integration.candidates import Candidate, Candidates
from comity.rooms.integration.model import BranchOutcome, Fate, How, Integration
from comity.rooms.integration.scratch import Check, Scratch, Stacked
from comity.rooms.worktrees import bases, holding
from comity.rooms.worktrees.model import FOLDER
from comity.system import git_worktrees

_TOLD = 600


class Tried(NamedTuple):
    """``tip``: the commit that the base may move to; ``said``: what a failed check said."""

    outcomes: list[BranchOutcome]
    tip: str
    said: str


def run(steps: Steps, sources: list[str], base: str | None, how: How, command: str | None) -> Integration:
    """Bring them home. Raises Conflict, Invalid, NotFound, Unavailable ``integration.*``; then nothing has moved."""
    mending.mend(steps)
    with holding.of(steps.actor, "") as held:
        if not held.take(0):
            at_it = next(iter(steps.read(rows.running)), None)
            raise rows.busy(at_it.agent_id if at_it else "somebody", at_it.base if at_it else "this repository")
        return _run(steps, candidates.find(steps, sources, base), how, command, held.kept)


def _run(steps: Steps, found: Candidates, how: How, command: str | None, keeps: tuple[int, ...]) -> Integration:
    integration_id, name = steps.write(_begin, found)
    path = os.path.join(os.path.realpath(steps.actor.root), name)
    scratch = Scratch(found.there, path, command, steps.report, keeps)
    ended = Integration(integration_id, found.base.name, "interrupted", [], found.base.commit, found.base.commit)
    try:
        scratch.make(found.base.commit)
        tried = _try(scratch, found, how)
        ended = _landed(steps, found, tried, ended._replace(checks=scratch.checks), keeps)
    finally:
        scratch.remove()
        steps.write(ending.end, ended)
    return ended


def _begin(scope: Scope, found: Candidates) -> tuple[str, str]:
    integration_id = scope.new_id()
    name = f"{FOLDER}/integration-{integration_id[-12:]}"
    rows.begin(scope, integration_id, found.base.name, [one.branch for one in found.branches], name)
    return integration_id, name


def _try(scratch: Scratch, found: Candidates, how: How) -> Tried:
    """Merge and check until what is left passes."""
    outcomes: dict[str, BranchOutcome] = {}
    left, said = list(found.branches), ""
    while True:
        good = _stack(scratch, found, left, how, outcomes)
        if not good:
            return Tried([outcomes[one.branch] for one in found.branches], found.base.commit, said)
        whole = scratch.check(good[-1].commit, _named(good))
        if whole.passed:
            for step in good:
                outcomes[step.candidate.branch] = _outcome(step.candidate, "waits")
            return Tried([outcomes[one.branch] for one in found.branches], good[-1].commit, said)
        broken, output = _first_broken(scratch, found, good, whole)
        said = output
        outcomes[broken.candidate.branch] = _outcome(broken.candidate, "broke", output[-_TOLD:])
        # What did not merge may have met the one that is out now.
        decided = {branch for branch, outcome in outcomes.items() if outcome.fate in ("broke", "nothing")}
        left = [one for one in found.branches if one.branch not in decided]


def _stack(
    scratch: Scratch, found: Candidates, left: list[Candidate], how: How, outcomes: dict[str, BranchOutcome]
) -> list[Stacked]:
    """Those that merge, one on top of the other; what becomes of the others is written down."""
    scratch.stand_on(found.base.commit)
    good: list[Stacked] = []
    for one in left:
        apart = bases.distance(found.there, found.base.commit, one.commit)
        if apart is not None and apart[0] == 0:
            outcomes[one.branch] = _outcome(one, "nothing")
            continue
        step = scratch.add(one, how)
        if step.commit:
            good.append(step)
        else:
            outcomes[one.branch] = _outcome(one, "conflict", step.told, list(step.files))
    return good


def _first_broken(scratch: Scratch, found: Candidates, good: list[Stacked], whole: Check) -> tuple[Stacked, str]:
    """The first step with which the check fails, and what it said. Conflict ``integration.base_red`` when it fails
    without any.
    """
    alone = scratch.check(found.base.commit, f"{found.base.name} alone")
    if not alone.passed:
        raise Conflict(
            "integration.base_red",
            f"The check fails on {quoted(found.base.name)} already: {quoted(alone.said.strip()[-300:], 300)}",
            "Mend the base first; then integrate.",
        )
    passes, fails, said = -1, len(good) - 1, whole.said
    while fails - passes > 1:
        middle = (passes + fails) // 2
        checked = scratch.check(good[middle].commit, _named(good[: middle + 1]))
        if checked.passed:
            passes = middle
        else:
            fails, said = middle, checked.said
    return good[fails], said


def _landed(steps: Steps, found: Candidates, tried: Tried, ended: Integration, keeps: tuple[int, ...]) -> Integration:
    """Move the base, if there is something to move it to."""
    ended = ended._replace(outcomes=tried.outcomes, state="nothing", check_output=tried.said)
    if tried.tip == found.base.commit:
        return ended
    places = git_worktrees.listed(found.there)
    candidates.require_movable(found.base, places)
    outcomes = [one._replace(fate="landed") if one.fate == "waits" else one for one in tried.outcomes]
    landed = ended._replace(outcomes=outcomes, state="landed", after=tried.tip)
    steps.write(rows.landing, landed)
    why = landing.land(found.there, found.base.name, found.base.commit, tried.tip, keeps)
    if why:
        raise Unavailable(
            "integration.base_moved",
            f"{quoted(found.base.name)} could not be moved: {quoted(why, 300)}. Nothing has landed.",
            "Integrate again: what is new in the base is then checked, too.",
        )
    return landed


def _outcome(one: Candidate, fate: Fate, told: str = "", files: list[str] | None = None) -> BranchOutcome:
    return BranchOutcome(one.source, one.branch, fate, told, files or [], one.agent_id)


def _named(steps: list[Stacked]) -> str:
    return f"{len(steps)} branches" if len(steps) > 1 else steps[0].candidate.branch
