"""The guard around shell commands while others are about: what they may take away, how files look before and after."""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims.paths import Base
from comity.rooms.edits import (
    breaches,
    command_changes,
    edit_guard,
    git_guard,
    head_moves,
    line_changes,
    lingering,
    looks,
    progress,
    stakes,
    verification,
    workspace_files,
)
from comity.rooms.edits.model import Breach, Compared, Verdict
from comity.rooms.edits.sight import Sight, carried_out
from comity.rooms.edits.unrecorded_refusals import or_else
from comity.rooms.rescue import keeping
from comity.rooms.rescue.keeping import Saved
from comity.rooms.turns import speaker
from comity.rooms.work import facts
from comity.shell.changes import Change, Effects
from comity.system import changed_files
from comity.system.fingerprints import fingerprint


class Asked(NamedTuple):
    """A line: what it may change, the files that it names by checkout, why a person lets it through, who is about."""

    found: Effects
    named: list[tuple[Base, edit_guard.EditWish]]
    reason: str
    others: bool
    keep_warning: bool


class Question(NamedTuple):
    """All that was looked up about a line before the transaction that decides."""

    stakes: list[stakes.Stake]
    sight: Sight
    wanted: list[tuple[Base, edit_guard.EditWish, edit_guard.Looked]]
    saved: list[tuple[facts.Work, Saved]]
    loose: list[Saved]
    look: tuple[looks.Prints, int, int] | None
    heads: list[head_moves.HeadAt]
    commits: list[Base]


def check(steps: Steps, base: Base, asked: Asked) -> Verdict:
    """Whether the line may run; how files look now is remembered."""
    refusal = _of_vitals(steps, asked)
    if refusal is not None:
        return refusal
    question = _question(steps, base, asked)
    return or_else(
        steps,
        lambda scope: _checked(scope, base, question, asked),
        lambda scope: _barred(scope, question, asked.reason),
    )


def check_git(steps: Steps, base: Base, asked: Asked) -> Verdict:
    """Whether it may run, as far as it takes something away."""
    refusal = _of_vitals(steps, asked)
    if refusal is not None:
        return refusal
    survey, landed = stakes.with_landed(steps.read(stakes.survey))
    look = stakes.StakeSearch(base, survey, survey.read_ms)
    at_stake = _at_stake(look, asked.found.changes)
    if not at_stake:
        return Verdict(allowed=True)
    sight = look.sight._replace(came=landed.came)
    return or_else(
        steps,
        lambda scope: git_guard.check(scope, at_stake, asked.reason, sight),
        lambda scope: git_guard.barred(scope, at_stake, asked.reason),
    )


def _question(steps: Steps, base: Base, asked: Asked) -> Question:
    """Look at everything that the line may reach."""
    survey, landed = stakes.with_landed(steps.read(stakes.survey))
    near = steps.read(breaches.ground, base)
    look = stakes.StakeSearch(base, survey, survey.read_ms)
    if lingering.note(steps, base, look.unowned(asked.found.changes)):
        survey, landed = stakes.with_landed(steps.read(stakes.survey))
        look = look.again(survey)
    reached = _at_stake(look, asked.found.changes)
    made = carried_out(steps.read(progress.own_asked))
    saved = command_changes.kept(steps.actor, [*survey.others.living, *survey.others.left])
    loose = command_changes.kept_of_nobody(steps.actor, base, look.unowned(asked.found.changes))
    looked = None if near is None else (breaches.prints(base, near, {}), near.read_ms, changed_files.mark())
    sight = look.sight._replace(came=(*landed.came, *made))
    wanted = [_looked(steps, *one) for one in asked.named if one[1].every]
    changes = asked.found.changes
    commits = head_moves.reached(base, [one for one in changes if one.how == "commit"])
    heads = head_moves.looked([base, *head_moves.reached(base, changes)]) if looked is not None else []
    return Question(reached, sight, wanted, saved, loose, looked, heads, commits)


def _at_stake(look: stakes.StakeSearch, changes: Sequence[Change]) -> list[stakes.Stake]:
    """What a line may take away, and what of others it would commit or unstage."""
    found = look.stakes(changes)
    if any(map(stakes.of_index, changes)):
        found += import_module("comity.rooms.edits.index_stakes").IndexStakes(look, changes).stakes(changes)
    return found


def _looked(
    steps: Steps, base: Base, wanted: edit_guard.EditWish
) -> tuple[Base, edit_guard.EditWish, edit_guard.Looked]:
    near = steps.read(progress.near, base, wanted.every)
    prints = {target.path: fingerprint(os.path.join(base.folder, target.path)) for target in wanted.files}
    return base, wanted, edit_guard.Looked(near, verification.looked(near.works, near.asked), prints)


def _of_vitals(steps: Steps, asked: Asked) -> Verdict | None:
    """A refusal of what would take away the workspace itself from others."""
    danger = workspace_files.endangered(steps.actor, asked.found.changes) if asked.others else None
    if danger is None:
        return None
    known = None if danger.bypass or asked.reason else workspace_files.refusal(danger)
    verdict = or_else(
        steps,
        lambda scope: workspace_files.check(scope, danger, asked.reason) or Verdict(allowed=True),
        lambda _: known,
    )
    return None if verdict.allowed else verdict


def _checked(scope: Scope, base: Base, question: Question, asked: Asked) -> Verdict:
    """Git, then the files; then the look at what peers hold is remembered. All or nothing."""
    spared = git_guard.check(scope, question.stakes, asked.reason, question.sight)
    command_changes.record(scope, question.saved)
    keeping.record(scope, question.loose)
    if not spared.allowed:
        return spared
    warnings = [spared.warning]
    refusal = _elsewhere(scope, question, asked)
    for there, wanted, looked in question.wanted if refusal is None else ():
        edits = edit_guard.check(scope, there, wanted, looked)
        warnings.append(edits.warning)
        if not edits.allowed:
            refusal = edits
            break
    if refusal is not None:
        if question.stakes:
            git_guard.over(scope)
        return refusal
    if question.look is not None:
        head_moves.mark(scope, question.heads)
        breaches.remember(scope, base, *question.look)
    verdict = Verdict(allowed=True, warning="\n".join(part for part in warnings if part))
    if asked.keep_warning:
        edit_guard.keep(scope, verdict)
    return verdict


def _elsewhere(scope: Scope, question: Question, asked: Asked) -> Verdict | None:
    """A commit whose agent does not know that HEAD has moved."""
    if not question.commits or asked.reason:
        return None
    scope = speaker.settle(scope)
    titles = [one.title for one in asked.found.changes if one.how == "commit"]
    head_moves.mark(scope, [one for one in question.heads if one.base in question.commits], commits=True)
    return head_moves.refuse_once(scope, question.commits, [scope.actor.agent_id], titles[0])


def _barred(scope: Scope, question: Question, reason: str) -> Verdict | None:
    """What is refused by reading alone."""
    refusal = git_guard.barred(scope, question.stakes, reason)
    if question.commits and refusal is None and not reason:
        me = speaker.seen(scope).actor.agent_id
        told = head_moves.untold(scope, question.commits, [me])
        refusal = head_moves.refusal(told) if told else None
    for base, wanted, looked in question.wanted:
        refusal = refusal or edit_guard.barred(scope, base, wanted, looked)
    return refusal


def compare(steps: Steps, base: Base, command: str, cwd: str, tool: str = "") -> Compared:
    """What changed while a command or another tool ran, and whose that is."""
    looked = steps.read(looks.before)
    if steps.read(git_guard.sweeps_now):
        steps.write(git_guard.over)
    if looked is None:
        return Compared([])
    near = steps.read(breaches.ground, base) or breaches.Ground((), (), steps.read(lambda scope: scope.now.ms))
    after = breaches.prints(base, near, looked.prints)
    line = line_changes.Line(command, cwd or base.folder)
    found = command_changes.found(steps, base, looked, after, line)._replace(tool=tool)
    after |= command_changes.fingerprints(base, found)
    moves = head_moves.found(steps, base, looked.from_ms, line)

    def settle(scope: Scope) -> list[Breach]:
        head_moves.settle(scope, moves, command)
        return command_changes.settle(scope, base, looked, after, near.read_ms, found)

    lost = steps.write(settle)
    keeping.tidy(steps, found.saved)
    return Compared(lost)
