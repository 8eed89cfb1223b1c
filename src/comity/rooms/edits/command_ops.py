"""Operations around shell and git commands: what is needed before every command, however little that is.

What looks at git, takes copies and compares is loaded only while others are about, or work of somebody who is gone lies
there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module

from comity.kernel.hints import Any
from comity.kernel.op import long_op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.claims import paths
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.places import Places
from comity.rooms.edits import edit_guard, line_changes
from comity.rooms.edits.model import (
    LEASE_S,
    BypassReason,
    CommandLine,
    Folder,
    KeepWarning,
    NamedFiles,
    Operation,
    Processes,
    Recorded,
    ToolName,
    Verdict,
)
from comity.rooms.edits.pause_rule import changes_work
from comity.rooms.edits.unrecorded_refusals import or_else
from comity.rooms.turns import speaker
from comity.shell.changes import Effects


@long_op("command.check", effect="write", pausable=changes_work, example={"command": "make"})
def check_command(
    steps: Steps,
    *,
    command: CommandLine,
    cwd: Folder = "",
    reason: BypassReason = "",
    keep_warning: KeepWarning = False,
    tool: ToolName = "",
) -> Verdict:
    """Ask whether a shell command may run: its git commands, and the files that it names to be written.

    Or a ``tool`` of which nothing is known but, perhaps, a command line that it is given.

    As ``git.check`` and ``edit.check`` would say; files that it only adds to or changes in place need not be read
    again. What it does besides is found afterwards by ``edit.compare``, for which peers' files are looked at, and
    copies of their work are kept, now.
    """
    base = paths.base_of(steps.actor)
    found = line_changes.Line(command, cwd or base.folder or os.getcwd()).changes()
    found = found._replace(unknown=found.unknown or bool(tool))
    named = _named(steps, base, found)
    others, any_work = steps.read(_about)
    if any_work and (found.changes or found.unknown):
        told: Verdict = _guard().check(steps, base, _guard().Asked(found, named, reason, others, keep_warning))
        return told
    verdict, warnings = Verdict(allowed=True), []
    for there, wanted in named:
        verdict = edit_guard.asked(steps, there, wanted, keep_warning=keep_warning)
        if not verdict.allowed:
            return verdict
        warnings += [verdict.warning] if verdict.warning else []
    return verdict._replace(warning="\n".join(warnings))


def _guard() -> Any:
    return import_module("comity.rooms.edits.command_guard")


def _about(scope: Scope) -> tuple[bool, bool]:
    """Whether other agents are about; and whether they are, or somebody who may be gone has left uncommitted work."""
    agent_id = speaker.seen(scope).actor.agent_id
    others, works = scope.tx.one("edits.about", agent_id=agent_id) or (0, 0)
    return bool(others), bool(others or works)


def _named(steps: Steps, base: Base, found: Effects) -> list[tuple[Base, edit_guard.EditWish]]:
    """The files that a line names to be changed, by checkout."""
    named, kept = line_changes.named(found.changes)
    named = edit_guard.not_ours(steps.actor, named)
    if not base.folder:
        targets = paths.sorted_out(base, named)[0]
        return [(base, edit_guard.wanted(base, targets, LEASE_S, "command"))] if targets else []
    if not named:
        return []
    links = edit_guard.also_named(steps, named)
    named, kept = [*named, *links], {*kept, *links}
    places = Places(base)
    added = {(there, target) for there, targets in places.sorted_out(kept)[0].items() for target in targets}
    found_here = []
    for there, targets in places.sorted_out(named)[0].items():
        wanted = edit_guard.wanted(there, targets, LEASE_S, "command")
        in_place = frozenset(target.path for target in targets if (there, target) in added)
        found_here.append((there, wanted._replace(added=in_place)))
    return found_here


@long_op("git.check", effect="write", example={"command": "git stash"})
def check_git(steps: Steps, *, command: CommandLine, cwd: Folder = "", reason: BypassReason = "") -> Verdict:
    """Ask whether commands in a shell line may run: not when a living peer would lose work.

    Looked at is whatever takes uncommitted files, stash entries or folders away, what would commit a peer's work or
    undo what it has staged, and push --force, which warns. Quoted text and harmless forms pass. With a ``reason`` it is
    let through, which is an event.
    """
    base = paths.base_of(steps.actor)
    others, any_work = steps.read(_about)
    if not any_work:
        return Verdict(allowed=True)
    found = line_changes.Line(command, cwd or base.folder or os.getcwd()).changes()
    verdict: Verdict = _guard().check_git(steps, base, _guard().Asked(found, [], reason, others, keep_warning=False))
    return verdict


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
    """Ask whether living peers hold any of these files, or have work in them, before git records them.

    Nothing is claimed. Whoever asks need not be an agent. An agent that has not read that HEAD has moved is refused
    once. With a ``reason`` it is let through, which is an event.
    """
    base = paths.base_of(steps.actor)
    at_s: dict[str, int] = {}
    targets: dict[Target, None] = {}
    for target, place in _recorded(base, files):
        targets[target] = None
        if recorded_s is not None:
            at_s[target.path] = recorded_s[place] if place < len(recorded_s) else 0
    commit_guard: Any = import_module("comity.rooms.edits.commit_guard")
    recording = commit_guard.Recording(list(targets), processes or [], at_s, operation, reason)
    if recorded_s is None and not reason and steps.read(commit_guard.uninformed, base, recording):
        told: Verdict = steps.write(commit_guard.inform, base, recording)
        if not told.allowed:
            return told
    if not targets or not steps.read(commit_guard.barring, base, recording):
        return Verdict(allowed=True)
    return or_else(
        steps,
        lambda scope: commit_guard.check(scope, base, recording),
        lambda scope: commit_guard.barred(scope, base, recording),
    )


def _recorded(base: Base, files: Sequence[str]) -> list[tuple[Target, int]]:
    """The files in our form, each with its place in the list."""
    if not base.folder:
        return [
            (Target(target.path, tree=False), place)
            for place, name in enumerate(files)
            for target in paths.sorted_out(base, [name])[0]
        ]
    places = Places(base)
    found = [(places.target(os.path.join(base.folder, name)), place) for place, name in enumerate(files)]
    return [(named[1], place) for named, place in found if named is not None and named[0] == base]
