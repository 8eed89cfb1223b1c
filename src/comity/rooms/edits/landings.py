"""Requests that were carried out: from then on the change is its agent's work in progress.

Between a request and the change a user may have been asked for permission, for however long. When the change comes down
on what somebody else changed meanwhile, both are told.
"""

from __future__ import annotations

from importlib import import_module

from comity.kernel.scope import Scope
from comity.rooms.edits import breach_excuses
from comity.rooms.edits.sight import Came, SeenWork, Sight, is_work
from comity.rooms.work import facts
from comity.rooms.work.facts import NewWork
from comity.system.fingerprints import written_ms


def note(scope: Scope, sight: Sight) -> None:
    """Write down what was seen."""
    for came in sight.came:
        land(scope, came)
    for seen in sight.seen:
        _note(scope, seen)


def _note(scope: Scope, seen: SeenWork) -> None:
    if not is_work(seen):
        facts.over(scope, seen.work)
    elif seen.kind != "unknown" and (seen.kind, seen.state, seen.stamp) != (
        seen.work.kind,
        seen.work.checked,
        seen.work.stamp,
    ):
        facts.checked(scope, seen.work, seen.kind, seen.state, seen.stamp)


def land(scope: Scope, came: Came, content: str = "") -> None:
    """The change was made. ``content`` is the SHA-256 of the file, where a copy of it is kept."""
    asked, now_ms = came.asked, scope.now.ms
    edited_ms = max(asked.asked_ms, min(now_ms, written_ms(came.fingerprint)))
    where = {"repository": asked.repository, "worktree": asked.worktree, "file_path": asked.file_key}
    scope.tx.run("edits.edited", agent_id=asked.agent_id, now_ms=edited_ms, **where)
    breach_excuses.note_one(scope, asked.place, asked.agent_id, asked.asked_ms, (asked.seen, came.fingerprint))
    before = facts.at(scope, asked.repository, asked.worktree, [asked.file_key])
    made = NewWork(asked.place, asked.file_path, asked.agent_id, edited_ms, asked.how, content, came.stamp)
    if came.over:
        facts.drop(scope, asked.place)
    else:
        facts.put(scope, made)
    if asked.let_go:
        facts.let_go(scope, asked.place, asked.agent_id)
    facts.answered(scope, asked)
    for work in before:
        if work.agent_id != asked.agent_id and work.changed_ms >= asked.asked_ms:
            import_module("comity.rooms.edits.notices").collision(scope, asked, work)
