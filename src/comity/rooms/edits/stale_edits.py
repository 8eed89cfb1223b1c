"""Edits that came after an agent began: it may have read the file before, and has to read it again."""

from __future__ import annotations

from collections.abc import Collection, Container

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted, title
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.agents import identity
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits.claim_words import MOST_TOLD, span
from comity.rooms.edits.model import Verdict
from comity.rooms.work import facts

_LOGGED = 20


class Edit(NamedTuple):
    """Who was let edit a file last."""

    file_path: str
    agent_id: str
    edited_ms: int
    agent_name: str


def _last(scope: Scope, base: Base, targets: list[Target]) -> list[Edit]:
    keys = compact([base.key(target.path) for target in targets])
    rows = scope.tx.all("edits.last", keys=keys, repository=base.repository, worktree=base.worktree)
    return [Edit._make(row) for row in rows]


def changed_since(scope: Scope, base: Base, targets: list[Target], kin: Container[str]) -> list[tuple[Edit, str]]:
    """Edits of others that were made after this agent began, and after it last asked to edit the file."""
    began_ms = _began_ms(scope)
    by_key = {base.key(target.path): target.path for target in targets}
    asked = facts.asked_at(scope, base.repository, base.worktree, list(by_key), ())
    told_ms = {one.file_key: one.asked_ms for one in asked if one.agent_id == scope.actor.agent_id and not one.let_go}
    return [
        (edit, by_key[edit.file_path])
        for edit in _last(scope, base, targets)
        if edit.agent_id not in kin and edit.edited_ms >= began_ms and edit.edited_ms > told_ms.get(edit.file_path, -1)
    ]


def of_silent(scope: Scope, base: Base, targets: list[Target], kin: Collection[str]) -> list[Edit]:
    """Such edits of subagents that were interrupted: told, and no reason to refuse."""
    me = scope.actor.agent_id
    silent = {*kin} - {me, *identity.ancestors(scope, me)} if len(kin) > 1 else set()
    if not silent:
        return []
    return [edit for edit, _ in changed_since(scope, base, targets, {*kin} - silent) if edit.agent_id in silent]


def _began_ms(scope: Scope) -> int:
    row = scope.tx.one("edits.began_ms", agent_id=scope.actor.agent_id)
    return row[0] if row and isinstance(row[0], int) else 0


def refusal(scope: Scope, stale: list[Edit], besides: list[str]) -> Verdict:
    """The refusal by name, recorded; ``besides`` is what else is to be known."""
    detail: dict[str, object] = {
        "files": [edit.file_path for edit in stale][:_LOGGED],
        "editors": sorted({edit.agent_id for edit in stale})[:_LOGGED],
    }
    scope.emit(Event("edit.refused", agent_id=scope.actor.agent_id, reason_code="edit.stale", metadata=detail))
    words = " ".join([*(told(scope, edit) for edit in stale[:MOST_TOLD]), *besides])
    hint = "Nothing was changed, and the file is claimed for you now: read it again, then make the edit."
    return Verdict(allowed=False, refusal=f"{words} {hint}", stale=True)


def told(scope: Scope, edit: Edit) -> str:
    """One of them in a sentence."""
    age = span((scope.now.ms - edit.edited_ms) // 1000)
    return f"{title(edit.agent_id, edit.agent_name)} edited {quoted(edit.file_path)} {age} ago, after you began."
