"""Operations around shell and git commands. Apart from ``edit.check``, since they load what runs git."""

from __future__ import annotations

import os

from comity.kernel.op import long_op
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.claims.paths import Target
from comity.rooms.edits import committing, sparing, sweeping, watching
from comity.rooms.edits.model import (
    BypassReason,
    CommandLine,
    Compared,
    Folder,
    NamedFiles,
    Operation,
    Verdict,
    Watched,
)


@long_op("edit.watch", effect="write", example={})
def watch_edits(steps: Steps) -> Watched:
    """Look at the files that peers hold, before a shell command of the caller runs; nothing when it is alone."""
    base = paths.base_of(steps.actor)
    near = steps.read(watching.ground, base)
    if near is None:
        return Watched(0)
    return Watched(steps.write(watching.remember, watching.prints(base, near, {})))


@long_op("edit.compare", effect="write", example={"command": "make"})
def compare_edits(steps: Steps, *, command: CommandLine = "") -> Compared:
    """Compare with the look before the command; a peer's file that changed is an event, and told to both sides."""
    base = paths.base_of(steps.actor)
    looked = steps.read(watching.before)
    if looked is None:
        return Compared([])
    near = steps.read(watching.ground, base) or watching.Ground((), (), ())
    after = watching.prints(base, near, looked.prints)
    return steps.write(watching.compare, base, looked, after, command)


@long_op("git.check", effect="write", example={"command": "git stash"})
def check_git(steps: Steps, *, command: CommandLine, cwd: Folder = "", reason: BypassReason = "") -> Verdict:
    """Ask whether git commands in a shell command line may run: not when a living peer would lose work by them.

    Looked at are stash, reset --hard, clean -f, checkout and restore of everything, rebase, and push --force, which
    warns. Quoted text and harmless forms pass. With a ``reason`` it is let through, which is an event.
    """
    found = sweeping.sweeps(command)
    base = paths.base_of(steps.actor)
    stakes = []
    for sweep in found:
        folder = os.path.join(cwd or base.folder, sweep.folder or "")
        if sweep.folder is None or not os.path.isdir(folder):
            continue
        others, _ = steps.read(sparing.anybody, base)
        if not others:
            return Verdict(allowed=True)
        there = sparing.place(base, folder)
        held = steps.read(sparing.anybody, there)[1]
        if held or sweep.saves or sweep.loss in ("stash", "commits"):
            stakes.append(sparing.stake(sweep, there, folder))
    return steps.write(sparing.check, stakes, reason) if stakes else Verdict(allowed=True)


@long_op("edit.held", effect="write", example={"files": ["src/parser.py"]})
def held_edits(
    steps: Steps, *, files: NamedFiles, operation: Operation = "git commit", reason: BypassReason = ""
) -> Verdict:
    """Ask whether living peers hold any of these files exclusively, before git records them; nothing is claimed.

    Whoever asks need not be an agent. With a ``reason`` it is let through, which is an event.
    """
    base = paths.base_of(steps.actor)
    inside, _ = paths.sorted_out(base, files)
    targets = [Target(target.path, tree=False) for target in inside]
    if not targets or not steps.read(committing.barring, base, targets):
        return Verdict(allowed=True)
    return steps.write(committing.check, base, targets, operation, reason)
