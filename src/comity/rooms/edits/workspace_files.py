"""What the workspace itself lives on: the database with its log, the project's config, the server's tokens and lock.

No command of one agent may take them away while others are at work: their messages, claims and tasks are in there, and
the copies that are kept of their work.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted
from comity.kernel.scope import Actor, Scope
from comity.rooms.edits import git_guard
from comity.rooms.edits.model import Verdict
from comity.rooms.turns.speaker import settle
from comity.shell.bypass import BYPASS, BYPASS_REASON
from comity.shell.changes import Change, takes
from comity.system import copies

_BESIDE = ("", "-wal", "-shm", ".bell")
_OF_FOLDERS = (".macp/config.json", ".masc/auth", ".masc/server.lock")
_MOST_NAMED = 4


class Danger(NamedTuple):
    """What a command would take away, and what it is called. ``bypass`` is the reason for which a person allows it.

    ``commit``: what has a file of that name, and would put it in the place of the one that is there.
    """

    title: str
    path: str
    git: bool = False
    bypass: str | None = None
    commit: str = ""


def endangered(actor: Actor, changes: Sequence[Change]) -> Danger | None:
    """The first thing that the workspace lives on and that one of the changes would take away, if any.

    It looks at the disk.
    """
    vital = vitals(actor)
    for change in changes:
        for path in vital:
            if takes(change, path, tracked=False, ignored=True):
                return Danger(change.title, path, git=change.verb.startswith("git "), bypass=change.bypass)
        danger = _replaced_by_git(change, [*vital, *_absent(actor)])
        if danger is not None:
            return danger
    return None


def vitals(actor: Actor) -> list[str]:
    """The files and folders that are there, absolute, links resolved."""
    wanted = [os.path.join(actor.root, name) for name in _OF_FOLDERS] if actor.root else []
    wanted += [actor.database + ending for ending in _BESIDE] if actor.database else []
    wanted += [os.path.join(os.path.dirname(actor.database), copies.NAME)] if actor.database else []
    return [os.path.realpath(path) for path in wanted if os.path.lexists(path)]


def _absent(actor: Actor) -> list[str]:
    """Where a log would be taken for the database's, if a branch brought one."""
    endings = ("-wal", "-shm", "-journal")
    paths = [os.path.realpath(actor.database) + ending for ending in endings] if actor.database else []
    return [path for path in paths if not os.path.lexists(path)]


def check(scope: Scope, danger: Danger, reason: str) -> Verdict | None:
    """A refusal, recorded; None when a person lets it through, which is an event."""
    scope = settle(scope)
    why = danger.bypass or reason
    if why:
        git_guard.bypassed(scope, danger.title, why, (), (os.path.basename(danger.path),))
        return None
    verdict = refusal(danger)
    detail: dict[str, object] = {"command": danger.title, "files": [os.path.basename(danger.path)]}
    kind = "git.refused" if danger.git else "edit.refused"
    scope.emit(Event(kind, agent_id=scope.actor.agent_id, reason_code="workspace.vital", metadata=detail))
    return verdict


def refusal(danger: Danger) -> Verdict:
    """Why it may not run, and what may."""
    what = f"{quoted(danger.title)} would take away {quoted(os.path.basename(danger.path))}"
    told = f"{what}, on which the messages, claims and tasks of everybody here stand. Nothing was done."
    if danger.bypass is not None:
        hint = f"{BYPASS} needs a reason in {BYPASS_REASON}."
    elif danger.commit:
        hint = (
            f"{quoted(danger.commit)} tracks a file of that name: have it taken out of git there (git rm --cached). "
            f"The user can let it through with {BYPASS}=1 and {BYPASS_REASON}."
        )
    elif danger.git:
        hint = (
            "Leave it out: git clean with -e .macp -e .masc, git stash without --all. "
            f"The user can let it through with {BYPASS}=1 and {BYPASS_REASON}."
        )
    else:
        hint = f"Leave .macp and .masc alone. The user can let it through with {BYPASS}=1 and {BYPASS_REASON}."
    return Verdict(allowed=False, refusal=f"{told} {hint}")


def _replaced_by_git(change: Change, vital: list[str]) -> Danger | None:
    """What a commit would put in the place of an ignored file, without a word: git's rule for such files."""
    if not change.verb.startswith("git ") or change.how not in ("branch", "replace"):
        return None
    for commit in change.names[:_MOST_NAMED]:
        git = import_module("comity.system.git")
        found = git.brought(change.place, commit, vital) if os.path.isdir(change.place) else []
        if found:
            return Danger(change.title, found[0], git=True, bypass=change.bypass, commit=commit)
    return None
