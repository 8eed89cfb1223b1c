"""Operations around shell and git commands. Apart from ``edit.check``, since they load what runs git."""

from __future__ import annotations

import os

from comity.kernel.op import long_op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits import committing, guarding, sparing, vitals, watching
from comity.rooms.edits.model import (
    LEASE_S,
    BypassReason,
    CommandLine,
    Compared,
    Folder,
    KeepWarning,
    NamedFiles,
    Operation,
    Processes,
    Recorded,
    Verdict,
)
from comity.rooms.edits.unrecorded import or_else
from comity.shell import effects, git_commands


@long_op("command.check", effect="write", example={"command": "make"})
def check_command(
    steps: Steps,
    *,
    command: CommandLine,
    cwd: Folder = "",
    reason: BypassReason = "",
    keep_warning: KeepWarning = False,
) -> Verdict:
    """Ask whether a shell command may run: its git commands, and the files that it names to be written.

    As ``git.check`` and ``edit.check`` would say; files that it only adds to or changes in place need not be read
    again. What it does besides is found afterwards by ``edit.compare``, for which peers' files are looked at now.
    """
    base = paths.base_of(steps.actor)
    folder = cwd or base.folder
    others = steps.read(sparing.others)
    refusal = _of_vitals(steps, command, folder, reason) if others else None
    if refusal is not None:
        return refusal
    stakes = _stakes(steps, base, command, folder) if others and "git" in command else []
    wanted = _named(base, command, folder)
    near = steps.read(watching.ground, base) if others and not effects.reads_only(command) else None
    if not stakes and near is None:
        return guarding.asked(steps, base, wanted, keep_warning=keep_warning)
    look = None if near is None else (watching.prints(base, near, {}), near.read_ms)
    return or_else(
        steps,
        lambda scope: _checked(scope, base, stakes, reason, wanted, look, keep_warning=keep_warning),
        lambda scope: sparing.barred(scope, stakes, reason) or guarding.barred(scope, base, wanted),
    )


def _of_vitals(steps: Steps, command: str, folder: str, reason: str) -> Verdict | None:
    """A refusal of what would take away the workspace itself."""
    danger = vitals.endangered(steps.actor, command, folder)
    if danger is None:
        return None
    known = None if danger.bypass or reason else vitals.refusal(danger)
    verdict = or_else(
        steps, lambda scope: vitals.check(scope, danger, reason) or Verdict(allowed=True), lambda _: known
    )
    return None if verdict.allowed else verdict


def _named(base: Base, command: str, folder: str) -> guarding.Wanted:
    named = effects.named(command, folder)
    whole, _ = paths.sorted_out(base, [path for path in named.paths if path in named.whole])
    rest, _ = paths.sorted_out(base, [path for path in named.paths if path not in named.whole])
    wanted = guarding.wanted(base, list(dict.fromkeys([*whole, *rest])), LEASE_S)
    return wanted._replace(added=frozenset(target.path for target in rest) - {target.path for target in whole})


def _checked(
    scope: Scope,
    base: Base,
    stakes: list[sparing.Stake],
    reason: str,
    wanted: guarding.Wanted,
    look: tuple[watching.Prints, int] | None,
    *,
    keep_warning: bool,
) -> Verdict:
    """Git, then the files; then the look at what peers hold is remembered. All or nothing."""
    spared = sparing.check(scope, stakes, reason) if stakes else Verdict(allowed=True)
    if not spared.allowed:
        return spared
    edits = guarding.check(scope, base, wanted) if wanted.every else Verdict(allowed=True)
    if stakes and not edits.allowed:
        sparing.over(scope)
    if edits.allowed and look is not None:
        watching.remember(scope, base, *look)
    verdict = edits._replace(warning="\n".join(part for part in (spared.warning, edits.warning) if part))
    if keep_warning:
        guarding.keep(scope, verdict)
    return verdict


@long_op("edit.compare", effect="write", example={"command": "make"})
def compare_edits(steps: Steps, *, command: CommandLine = "") -> Compared:
    """Compare peers' files with how they looked before a shell command.

    What changed although a peer holds it, and did not change itself, is an event, and both sides are told.
    """
    base = paths.base_of(steps.actor)
    looked = steps.read(watching.before)
    if steps.read(sparing.sweeps_now):
        steps.write(sparing.over)
    if looked is None:
        return Compared([])
    near = steps.read(watching.ground, base) or watching.Ground((), (), steps.read(lambda scope: scope.now.ms))
    after = watching.prints(base, near, looked.prints)
    return steps.write(watching.compare, base, looked, after, near.read_ms, command)


@long_op("git.check", effect="write", example={"command": "git stash"})
def check_git(steps: Steps, *, command: CommandLine, cwd: Folder = "", reason: BypassReason = "") -> Verdict:
    """Ask whether git commands in a shell line may run: not when a living peer would lose work.

    Looked at are stash, reset --hard, clean -f, checkout and restore of everything, rebase, and push --force, which
    warns. Quoted text and harmless forms pass. With a ``reason`` it is let through, which is an event.
    """
    base = paths.base_of(steps.actor)
    if not steps.read(sparing.others):
        return Verdict(allowed=True)
    refusal = _of_vitals(steps, command, cwd or base.folder, reason)
    stakes = _stakes(steps, base, command, cwd or base.folder) if refusal is None else []
    if not stakes:
        return refusal or Verdict(allowed=True)
    return or_else(
        steps,
        lambda scope: sparing.check(scope, stakes, reason),
        lambda scope: sparing.barred(scope, stakes, reason),
    )


def _stakes(steps: Steps, base: Base, command: str, cwd: str) -> list[sparing.Stake]:
    """What git says of the work that is at stake, asked between transactions."""
    stakes = []
    for sweep in git_commands.sweeps(command):
        folder = os.path.join(cwd, sweep.folder or "")
        if sweep.folder is None or not os.path.isdir(folder):
            continue
        there = sparing.place(base, folder)
        looks = sweep.loss in ("stash", "commits") or steps.read(sparing.held, there)
        stakes.append(sparing.stake(sweep, there, folder) if looks else sparing.Stake(sweep, there))
    return stakes


@long_op("edit.held", effect="write", example={"files": ["src/parser.py"]})
def held_edits(
    steps: Steps,
    *,
    files: NamedFiles,
    recorded_s: Recorded | None = None,
    processes: Processes | None = None,
    operation: Operation = "git commit",
    reason: BypassReason = "",
) -> Verdict:
    """Ask whether living peers hold any of these files exclusively, before git records them.

    Nothing is claimed. Whoever asks need not be an agent. With a ``reason`` it is let through, which is an event.
    """
    base = paths.base_of(steps.actor)
    at_s: dict[str, int] = {}
    targets: dict[Target, None] = {}
    for place, file in enumerate(files):
        for target in paths.sorted_out(base, [file])[0]:
            targets[Target(target.path, tree=False)] = None
            if recorded_s is not None:
                at_s[target.path] = recorded_s[place] if place < len(recorded_s) else 0
    recording = committing.Recording(list(targets), processes or [], at_s, operation, reason)
    if not targets or not steps.read(committing.barring, base, recording):
        return Verdict(allowed=True)
    return or_else(
        steps,
        lambda scope: committing.check(scope, base, recording),
        lambda scope: committing.barred(scope, base, recording),
    )
