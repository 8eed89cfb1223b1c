"""Operations around shell and git commands. Apart from ``edit.check``, since they load what runs git."""

from __future__ import annotations

import os

from comity.kernel.op import long_op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits import breaches, commit_guard, edit_guard, git_guard, workspace_files
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
from comity.rooms.edits.unrecorded_refusals import or_else
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
    others = steps.read(git_guard.others)
    refusal = _of_vitals(steps, command, folder, reason) if others else None
    if refusal is not None:
        return refusal
    stakes = _stakes(steps, base, command, folder) if others and "git" in command else []
    wanted = _named(base, command, folder)
    near = steps.read(breaches.ground, base) if others and not effects.reads_only(command) else None
    if not stakes and near is None:
        return edit_guard.asked(steps, base, wanted, keep_warning=keep_warning)
    look = None if near is None else (breaches.prints(base, near, {}), near.read_ms)
    return or_else(
        steps,
        lambda scope: _checked(scope, base, stakes, reason, wanted, look, keep_warning=keep_warning),
        lambda scope: git_guard.barred(scope, stakes, reason) or edit_guard.barred(scope, base, wanted),
    )


def _of_vitals(steps: Steps, command: str, folder: str, reason: str) -> Verdict | None:
    """A refusal of what would take away the workspace itself."""
    danger = workspace_files.endangered(steps.actor, command, folder)
    if danger is None:
        return None
    known = None if danger.bypass or reason else workspace_files.refusal(danger)
    verdict = or_else(
        steps, lambda scope: workspace_files.check(scope, danger, reason) or Verdict(allowed=True), lambda _: known
    )
    return None if verdict.allowed else verdict


def _named(base: Base, command: str, folder: str) -> edit_guard.Wanted:
    named = effects.named(command, folder)
    whole, _ = paths.sorted_out(base, [path for path in named.paths if path in named.whole])
    rest, _ = paths.sorted_out(base, [path for path in named.paths if path not in named.whole])
    wanted = edit_guard.wanted(base, list(dict.fromkeys([*whole, *rest])), LEASE_S)
    return wanted._replace(added=frozenset(target.path for target in rest) - {target.path for target in whole})


def _checked(
    scope: Scope,
    base: Base,
    stakes: list[git_guard.Stake],
    reason: str,
    wanted: edit_guard.Wanted,
    look: tuple[breaches.Prints, int] | None,
    *,
    keep_warning: bool,
) -> Verdict:
    """Git, then the files; then the look at what peers hold is remembered. All or nothing."""
    spared = git_guard.check(scope, stakes, reason) if stakes else Verdict(allowed=True)
    if not spared.allowed:
        return spared
    edits = edit_guard.check(scope, base, wanted) if wanted.every else Verdict(allowed=True)
    if stakes and not edits.allowed:
        git_guard.over(scope)
    if edits.allowed and look is not None:
        breaches.remember(scope, base, *look)
    verdict = edits._replace(warning="\n".join(part for part in (spared.warning, edits.warning) if part))
    if keep_warning:
        edit_guard.keep(scope, verdict)
    return verdict


@long_op("edit.compare", effect="write", example={"command": "make"})
def compare_edits(steps: Steps, *, command: CommandLine = "") -> Compared:
    """Compare peers' files with how they looked before a shell command.

    What changed although a peer holds it, and did not change itself, is an event, and both sides are told.
    """
    base = paths.base_of(steps.actor)
    looked = steps.read(breaches.before)
    if steps.read(git_guard.sweeps_now):
        steps.write(git_guard.over)
    if looked is None:
        return Compared([])
    near = steps.read(breaches.ground, base) or breaches.Ground((), (), steps.read(lambda scope: scope.now.ms))
    after = breaches.prints(base, near, looked.prints)
    return steps.write(breaches.compare, base, looked, after, near.read_ms, command)


@long_op("git.check", effect="write", example={"command": "git stash"})
def check_git(steps: Steps, *, command: CommandLine, cwd: Folder = "", reason: BypassReason = "") -> Verdict:
    """Ask whether git commands in a shell line may run: not when a living peer would lose work.

    Looked at are stash, reset --hard, clean -f, checkout and restore of everything, rebase, and push --force, which
    warns. Quoted text and harmless forms pass. With a ``reason`` it is let through, which is an event.
    """
    base = paths.base_of(steps.actor)
    if not steps.read(git_guard.others):
        return Verdict(allowed=True)
    refusal = _of_vitals(steps, command, cwd or base.folder, reason)
    stakes = _stakes(steps, base, command, cwd or base.folder) if refusal is None else []
    if not stakes:
        return refusal or Verdict(allowed=True)
    return or_else(
        steps,
        lambda scope: git_guard.check(scope, stakes, reason),
        lambda scope: git_guard.barred(scope, stakes, reason),
    )


def _stakes(steps: Steps, base: Base, command: str, cwd: str) -> list[git_guard.Stake]:
    """What git says of the work that is at stake, asked between transactions."""
    stakes = []
    for sweep in git_commands.sweeps(command):
        folder = os.path.join(cwd, sweep.folder or "")
        if sweep.folder is None or not os.path.isdir(folder):
            continue
        there = git_guard.place(base, folder)
        looks = sweep.loss in ("stash", "commits") or steps.read(git_guard.held, there)
        stakes.append(git_guard.stake(sweep, there, folder) if looks else git_guard.Stake(sweep, there))
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
    recording = commit_guard.Recording(list(targets), processes or [], at_s, operation, reason)
    if not targets or not steps.read(commit_guard.barring, base, recording):
        return Verdict(allowed=True)
    return or_else(
        steps,
        lambda scope: commit_guard.check(scope, base, recording),
        lambda scope: commit_guard.barred(scope, base, recording),
    )
