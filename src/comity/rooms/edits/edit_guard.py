"""The guard before an edit: refused where a living peer holds the file, else claimed for whoever edits it.

A claim keeps two agents from editing a file at the same time. That alone loses edits: one reads, a peer edits and lets
go, and the first writes back what it had read. So the guard remembers who was let edit a file last. Whoever may have
read it before that gets the claim, but has to read the file again first: refused once, by name, and let on afterwards.
"""

from __future__ import annotations

import os
from importlib import import_module

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted, title
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.kernel.text import compact
from comity.rooms.agents import identity
from comity.rooms.claims import acquisition, release
from comity.rooms.claims.overlaps import Met, touching
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits.claim_words import MOST_TOLD, left_s, says, span, whom
from comity.rooms.edits.model import Verdict
from comity.rooms.edits.unrecorded_refusals import family, living, or_else
from comity.rooms.turns import speaker

_REASON = "editing"
# Between an edit's check and the edit itself somebody may be asked for permission.
EDIT_TAKES_MS = 120_000
SWEEP_TAKES_MS = 30_000  # where no hook tells that it is over
_FRESH_MS = 60_000  # how old the note of an edit may be for an answer without a write
KEPT_S = 86_400  # a warning that is left as a message
_LOGGED = 20


class Wanted(NamedTuple):
    """What is about to be changed: files, which get claimed, and folders or globs, which are only looked at.

    ``added`` are those files that are changed as they are now, whatever the caller has read of them.
    """

    files: list[Target]
    wide: list[Target]
    lease_s: int
    added: frozenset[str] = frozenset()

    @property
    def every(self) -> list[Target]:
        """Both."""
        return [*self.files, *self.wide]


class _Edit(NamedTuple):
    """Who was let edit a file last."""

    file_path: str
    agent_id: str
    edited_ms: int
    agent_name: str


def wanted(base: Base, targets: list[Target], lease_s: int) -> Wanted:
    """Whatever is no folder on the disk is a file, whatever its name looks like."""
    files, wide = [], []
    for target in targets:
        folder = target.tree and os.path.isdir(os.path.join(base.folder, target.path))
        if folder or "*" in target.path or "?" in target.path:
            wide.append(target)
        else:
            files.append(Target(target.path, tree=False))
    return Wanted(files, wide, lease_s)


def asked(steps: Steps, base: Base, wanted: Wanted, *, keep_warning: bool) -> Verdict:
    """The verdict, by reading alone where that is enough."""
    if not wanted.every:
        return Verdict(allowed=True)
    known = steps.read(own, base, wanted)
    if known is not None:
        return known
    return or_else(
        steps,
        lambda scope: _checked(scope, base, wanted, keep_warning=keep_warning),
        lambda scope: barred(scope, base, wanted),
    )


def _checked(scope: Scope, base: Base, wanted: Wanted, *, keep_warning: bool) -> Verdict:
    verdict = check(scope, base, wanted)
    if keep_warning:
        keep(scope, verdict)
    return verdict


def keep(scope: Scope, verdict: Verdict) -> None:
    """Leave the warning as a message of Comity for the actor: what is given once, later, like any other."""
    if verdict.allowed and verdict.warning:
        delivering = import_module("comity.rooms.channels.deliveries")
        scope = speaker.settle(scope)
        for recipient in delivering.recipient(scope, scope.actor.agent_id):
            delivering.notice(scope, recipient, verdict.warning, "steering", KEPT_S)


def own(scope: Scope, base: Base, wanted: Wanted) -> Verdict | None:
    """Yes, by reading alone: the caller is alone, holds every file for half of its lease yet, and was noted lately.

    With others about, each edit is noted, so that what changes meanwhile is not laid at another's door.
    """
    settled = speaker.look(scope)
    if settled is None or others(settled):
        return None
    agent_id = settled.actor.agent_id
    met = touching(settled, base, wanted.every)
    if any(one.held.agent_id != agent_id for one in met):
        return None
    mine = {
        path for one in met if exclusive(one) and left_s(settled, one.held) * 2 > wanted.lease_s for path in one.files
    }
    since_ms = settled.now.ms - _FRESH_MS
    noted = {edit.file_path for edit in _last(settled, base, wanted.files) if _recent(edit, agent_id, since_ms)}
    wants = {target.path for target in wanted.files}
    return Verdict(allowed=True) if mine >= wants and noted >= set(map(base.key, wants)) else None


def others(scope: Scope) -> bool:
    """Whether other agents are about."""
    return scope.tx.one("edits.others", agent_id=scope.actor.agent_id) not in (None, (0,))


def _recent(edit: _Edit, agent_id: str, since_ms: int) -> bool:
    return edit.agent_id == agent_id and edit.edited_ms >= since_ms


def check(scope: Scope, base: Base, wanted: Wanted) -> Verdict:
    """The verdict; what is free is claimed."""
    scope = speaker.settle(scope)
    release.release_deserted(scope)
    met = touching(scope, base, wanted.every)
    kin = {scope.actor.agent_id, *identity.ancestors(scope, scope.actor.agent_id)}
    peers = [one for one in met if one.held.agent_id not in kin]
    barring = [one for one in peers if exclusive(one)]
    if barring:
        return refused(scope, barring)
    swept = _swept(scope, base)
    if swept is not None:
        return swept
    shared = {path for one in peers if one.held.mode == "shared" and not one.elsewhere for path in one.files}
    changed = _changed_since(scope, base, wanted.files, kin)
    _claim(scope, base, wanted, shared)
    had = {path for one in met if one.held.agent_id == scope.actor.agent_id and not one.elsewhere for path in one.files}
    told = [says(scope, one) for one in peers if one.held.mode != "shared" and not had.issuperset(one.files)]
    stale = [edit for edit, path in changed if path not in shared and path not in wanted.added]
    if stale:
        return _stale(scope, stale, told[:MOST_TOLD])
    told += [_changed(scope, edit) for edit, path in changed if path in shared or path in wanted.added]
    return Verdict(allowed=True, warning="\n".join(told[:MOST_TOLD]))


def barred(scope: Scope, base: Base, wanted: Wanted) -> Verdict | None:
    """The refusal by reading alone, where a living peer holds something of it; nothing else is decided."""
    scope, mine = family(scope)
    barring = living(scope, barring_others(scope, base, wanted.every, mine))
    return refusal(scope, barring) if barring else None


def _swept(scope: Scope, base: Base) -> Verdict | None:
    """A refusal while somebody's git command, asked for before, may be sweeping this work tree."""
    row = scope.tx.one(
        "edits.sweeping",
        repository=base.repository,
        worktree=base.worktree,
        agent_id=scope.actor.agent_id,
        since_ms=scope.now.ms - SWEEP_TAKES_MS,
    )
    if row is None:
        return None
    detail: dict[str, object] = {"holders": [row[0]], "command": row[2]}
    scope.emit(Event("edit.refused", agent_id=scope.actor.agent_id, reason_code="git.sweeping", metadata=detail))
    told = f"{title(row[0], row[1])} runs {quoted(row[2])} in this work tree just now. Nothing was changed."
    return Verdict(allowed=False, refusal=f"{told} Make the edit again in a moment.", holders=(row[0],))


def barring_others(scope: Scope, base: Base, targets: list[Target], kin: set[str]) -> list[Met]:
    """Exclusive claims of agents that are none of ``kin`` on any of these."""
    return [one for one in touching(scope, base, targets) if exclusive(one) and one.held.agent_id not in kin]


def exclusive(met: Met) -> bool:
    """Whether the claim keeps others out, here."""
    return met.held.mode == "exclusive" and not met.elsewhere


def _last(scope: Scope, base: Base, targets: list[Target]) -> list[_Edit]:
    keys = compact([base.key(target.path) for target in targets])
    rows = scope.tx.all("edits.last", keys=keys, repository=base.repository, worktree=base.worktree)
    return [_Edit._make(row) for row in rows]


def _changed_since(scope: Scope, base: Base, targets: list[Target], kin: set[str]) -> list[tuple[_Edit, str]]:
    """Edits of others that came, or may have come, after this agent began."""
    began_ms = _began_ms(scope)
    by_key = {base.key(target.path): target.path for target in targets}
    return [
        (edit, by_key[edit.file_path])
        for edit in _last(scope, base, targets)
        if edit.agent_id not in kin and edit.edited_ms + _takes_ms(scope, edit, began_ms) >= began_ms
    ]


def _began_ms(scope: Scope) -> int:
    row = scope.tx.one("edits.began_ms", agent_id=scope.actor.agent_id)
    return row[0] if row and isinstance(row[0], int) else 0


def _takes_ms(scope: Scope, edit: _Edit, began_ms: int) -> int:
    """How long after its check an edit may have been made; one whose agent has left was made before that."""
    if edit.edited_ms >= began_ms:
        return 0
    row = scope.tx.one("agents.session_of", agent_id=edit.agent_id)
    return EDIT_TAKES_MS if row and row[1] == "active" else 0


def note(scope: Scope, base: Base, paths: list[str]) -> None:
    """The actor is let edit these now."""
    for path in paths:
        scope.tx.run(
            "edits.edited",
            repository=base.repository,
            worktree=base.worktree,
            file_path=base.key(path),
            agent_id=scope.actor.agent_id,
            now_ms=scope.now.ms,
        )


def _claim(scope: Scope, base: Base, wanted: Wanted, shared: set[str]) -> None:
    """Hold what is edited, shared where peers share it; what is held for long enough yet stays as it is."""
    agent_id = scope.actor.agent_id
    mine = {
        path
        for one in touching(scope, base, wanted.files)
        if one.held.agent_id == agent_id and not one.elsewhere and left_s(scope, one.held) * 2 > wanted.lease_s
        for path in one.files
    }
    wants = [target for target in wanted.files if target.path not in mine]
    for mode, some in (
        ("exclusive", [target for target in wants if target.path not in shared]),
        ("shared", [target for target in wants if target.path in shared]),
    ):
        if some:
            acquisition.acquire(scope, base, acquisition.Wish(some, wanted.lease_s, _REASON, mode, partial=True))
    note(scope, base, [target.path for target in wanted.files])


def refused(scope: Scope, barring: list[Met], event_type: str = "edit.refused", what: str = "") -> Verdict:
    """The refusal, and its audit row."""
    verdict = refusal(scope, barring)
    files = sorted({path for one in barring for path in one.files})
    detail: dict[str, object] = {"files": files[:_LOGGED], "holders": list(verdict.holders)[:_LOGGED]}
    if what:
        detail["command"] = what
    scope.emit(Event(event_type, agent_id=scope.actor.agent_id, reason_code="claim.held", metadata=detail))
    return verdict


def refusal(scope: Scope, barring: list[Met]) -> Verdict:
    """What stands in the way, and what to do."""
    holders = tuple(dict.fromkeys(one.held.agent_id for one in barring))
    told = " ".join(says(scope, one) for one in barring[:MOST_TOLD])
    more = f" And {len(barring) - MOST_TOLD} more claims." if len(barring) > MOST_TOLD else ""
    hint = (
        f"Nothing was changed. Work on another file meanwhile, or ask {whom(holders[0])}; "
        "`claim.list` shows what is held."
    )
    return Verdict(allowed=False, refusal=f"{told}{more} {hint}", holders=holders)


def _stale(scope: Scope, stale: list[_Edit], besides: list[str]) -> Verdict:
    detail: dict[str, object] = {
        "files": [edit.file_path for edit in stale][:_LOGGED],
        "editors": sorted({edit.agent_id for edit in stale})[:_LOGGED],
    }
    scope.emit(Event("edit.refused", agent_id=scope.actor.agent_id, reason_code="edit.stale", metadata=detail))
    told = " ".join([*(_changed(scope, edit) for edit in stale[:MOST_TOLD]), *besides])
    hint = "Nothing was changed, and the file is claimed for you now: read it again, then make the edit."
    return Verdict(allowed=False, refusal=f"{told} {hint}", stale=True)


def _changed(scope: Scope, edit: _Edit) -> str:
    age = span((scope.now.ms - edit.edited_ms) // 1000)
    when = "after you began" if edit.edited_ms >= _began_ms(scope) else "at about the time you began"
    return f"{title(edit.agent_id, edit.agent_name)} edited {quoted(edit.file_path)} {age} ago, {when}."
