"""The guard before an edit: refused where a living peer holds the file or has work in it, else claimed for its editor.

What keeps others out is a fact: the file differs from the last commit, and a peer who lives changed it last. A claim
that the guard made for an edit only bridges the time until the edit is made; once it is known not to come, or its work
is committed, the claim goes.

That alone loses edits: one reads, a peer edits and lets go, and the first writes back what it had read. So the guard
remembers who edited a file last. Whoever may have read it before that gets the claim, but has to read the file again
first: refused once, by name, and let on afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterable
from importlib import import_module

from comity.kernel.event import Event
from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import quoted, title
from comity.kernel.scope import Actor, Scope
from comity.kernel.steps import Steps
from comity.rooms.claims import acquisition, release
from comity.rooms.claims.overlaps import Held, Met, touching
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits import stale_edits
from comity.rooms.edits.claim_words import MOST_TOLD, asks, left_behind, left_s, says, whom
from comity.rooms.edits.model import Verdict
from comity.rooms.edits.sight import Near, Others, Sight, carried_out, is_work
from comity.rooms.edits.unrecorded_refusals import family, living, or_else
from comity.rooms.turns import speaker
from comity.rooms.work import facts
from comity.rooms.work.facts import FilePlace
from comity.system.fingerprints import fingerprint

_REASON = "editing"
SWEEP_TAKES_MS = 30_000  # where no hook tells that it is over
_FRESH_MS = 60_000  # how old the note of an edit may be for an answer without a write
KEPT_S = 86_400  # a warning that is left as a message
_LOGGED = 20


class EditWish(NamedTuple):
    """What is about to be changed: files, which get claimed, and folders or globs, which are only looked at.

    ``added`` are those files that are changed as they are now, whatever the caller has read of them. ``how`` is what
    changes them: an editing tool, or a command.
    """

    files: list[Target]
    wide: list[Target]
    lease_s: int
    added: frozenset[str] = frozenset()
    how: str = "edit"

    @property
    def every(self) -> list[Target]:
        """Both."""
        return [*self.files, *self.wide]


def not_ours(actor: Actor, files: Iterable[str]) -> list[str]:
    """Without the database and what lies beside it under its name: nobody opens those but SQLite."""
    ours = actor.database
    return [path for path in files if not (ours and "\0" not in path and os.path.realpath(path).startswith(ours))]


def also_named(steps: Steps, files: Iterable[str]) -> list[str]:
    """Files that others may hold, of which these are other names: only hard links are looked for."""
    linked = [path for path in files if _has_names(path)]
    found: list[str] = import_module("comity.rooms.edits.hard_links").named_too(steps, linked) if linked else []
    return found


def _has_names(path: str) -> bool:
    try:
        return os.stat(path).st_nlink > 1 and not os.path.isdir(path)
    except (OSError, ValueError):
        return False


def wanted(base: Base, targets: list[Target], lease_s: int, how: str = "edit") -> EditWish:
    """Whatever is no folder on the disk is a file, whatever its name looks like."""
    files, wide = [], []
    for target in targets:
        folder = os.path.isdir(os.path.join(base.folder, target.path)) if target.tree is not False else False
        if folder:
            wide.append(Target(target.path, tree=True))
        else:
            files.append(Target(target.path, None))
    return EditWish(files, wide, lease_s, how=how)


def asked(steps: Steps, base: Base, wanted: EditWish, *, keep_warning: bool) -> Verdict:
    """The verdict, by reading alone where that is enough."""
    if not wanted.every:
        return Verdict(allowed=True)
    known, near = steps.read(_known, base, wanted)
    if known is not None:
        return known
    sight = _sight(near)
    prints = {target.path: fingerprint(os.path.join(base.folder, target.path)) for target in wanted.files}
    return or_else(
        steps,
        lambda scope: _checked(scope, base, wanted, Looked(near, sight, prints), keep_warning=keep_warning),
        lambda scope: barred(scope, base, wanted, Looked(near, sight, prints)),
    )


class Looked(NamedTuple):
    """What was looked at before the transaction: rows, their files, and how the wanted files look now."""

    near: Near = Near()
    sight: Sight = Sight()
    prints: dict[str, str] = {}


NOTHING_SEEN = Looked()


def _sight(near: Near) -> Sight:
    """A look at files that somebody has changed, or was let change; for most there is nothing to look at."""
    if not near.works and not near.asked:
        return Sight()
    others = near.works or any(one.agent_id not in near.kin for one in near.asked)
    if not others:
        return Sight((), tuple(carried_out(near.asked)))
    sight: Sight = import_module("comity.rooms.edits.verification").looked(near.works, near.asked)
    return sight


def _progress() -> Any:
    """What others have in progress: an agent that is alone and edits on does without."""
    return import_module("comity.rooms.edits.progress")


def _known(scope: Scope, base: Base, wanted: EditWish) -> tuple[Verdict | None, Near]:
    known = own(scope, base, wanted)
    return (known, Near()) if known is not None else (None, _progress().near(scope, base, wanted.every))


def _checked(scope: Scope, base: Base, wanted: EditWish, look: Looked, *, keep_warning: bool) -> Verdict:
    verdict = check(scope, base, wanted, look)
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


def own(scope: Scope, base: Base, wanted: EditWish) -> Verdict | None:
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
    keys = [base.key(target.path) for target in wanted.files]
    rows = facts.asked_at(settled, base.repository, base.worktree, keys, ())
    noted = {one.file_key for one in rows if one.agent_id == agent_id and one.asked_ms >= since_ms}
    wants = {target.path for target in wanted.files}
    return Verdict(allowed=True) if mine >= wants and noted >= set(keys) else None


def others(scope: Scope) -> bool:
    """Whether other agents are about."""
    return scope.tx.one("edits.others", agent_id=scope.actor.agent_id) not in (None, (0,))


def check(scope: Scope, base: Base, wanted: EditWish, look: Looked = NOTHING_SEEN) -> Verdict:
    """The verdict; what is free is claimed."""
    scope = speaker.settle(scope)
    release.release_deserted(scope)
    release.serve(scope)
    if look.sight != NOTHING_SEEN.sight:
        import_module("comity.rooms.edits.landings").note(scope, look.sight)
    kin = _progress().kin(scope)
    near = _progress().near(scope, base, wanted.every)._replace(kin=kin)
    others = _progress().others(scope, near)
    met = let_go(scope, base, touching(scope, base, wanted.every), others, kin)
    peers = [one for one in met if one.held.agent_id not in kin]
    barring = [*(one for one in peers if exclusive(one)), *_at_work(scope, base, wanted, others, met)]
    barring = barring or _in_line(scope, base, wanted)
    if barring:
        return refused(scope, barring)
    swept = _swept(scope, base)
    if swept is not None:
        return swept
    shared = {path for one in peers if one.held.mode == "shared" and not one.elsewhere for path in one.files}
    changed = stale_edits.changed_since(scope, base, wanted.files, kin)
    broken_off = stale_edits.of_silent(scope, base, wanted.files, kin)
    _claim(scope, base, wanted, shared, look.prints)
    had = {path for one in met if one.held.agent_id == scope.actor.agent_id and not one.elsewhere for path in one.files}
    told = [says(scope, one) for one in peers if one.held.mode != "shared" and not had.issuperset(one.files)]
    edited = {edit.file_path for edit, _ in changed}
    told += [left_behind(scope, work) for work in others.left if wanted.how == "edit" and work.file_key not in edited]
    told += [asks(scope, one) for one in others.pending]
    told += [stale_edits.told(scope, edit) for edit in broken_off]
    stale = [edit for edit, path in changed if path not in shared and path not in wanted.added]
    if stale:
        return stale_edits.refusal(scope, stale, told[:MOST_TOLD])
    told += [stale_edits.told(scope, edit) for edit, path in changed if path in shared or path in wanted.added]
    return Verdict(allowed=True, warning="\n".join(told[:MOST_TOLD]))


def _in_line(scope: Scope, base: Base, wanted: EditWish) -> list[Met]:
    """Places of those who have their turn first."""
    if not (wanted.files and release.in_line(scope)):
        return []
    parts = acquisition.parted(base, wanted.files, ())
    found = import_module("comity.rooms.claims.line").ahead(scope, parts, "exclusive")
    return [one.met for one in found]


def let_go(scope: Scope, base: Base, met: list[Met], others: Others, kin: frozenset[str]) -> list[Met]:
    """Without claims of the guard for edits that were committed, or are not coming: those are released."""
    at_work = busy(others)
    kept: list[Met] = []
    done: list[Met] = []
    for one in met:
        (done if one.held.agent_id not in kin and idle(base, one, at_work) else kept).append(one)
    for one in done:
        release.release_these(
            scope, one.held.agent_id, [(one.held.claim_id, one.held.file_path)], "nothing uncommitted"
        )
    return kept


def idle(base: Base, met: Met, at_work: Container[tuple[str, str]]) -> bool:
    """Whether the guard made this claim for an edit that is committed by now, or is not coming."""
    return is_bridge(met) and (met.held.agent_id, base.key(met.path)) not in at_work


def busy(others: Others) -> set[tuple[str, str]]:
    """Who has, or may soon have, work in which file."""
    found = {(work.agent_id, work.file_key) for work in others.living}
    return found | {(asked.agent_id, asked.file_key) for asked in others.pending}


def is_bridge(met: Met) -> bool:
    """Whether the guard made this claim for an edit, here, and nobody asked for it."""
    return is_bridging(met.held) and not met.elsewhere


def is_bridging(held: Held) -> bool:
    """The same of one as it stands."""
    return bool(held.literal) and held.reason == _REASON


def _at_work(scope: Scope, base: Base, wanted: EditWish, others: Others, met: list[Met]) -> list[Met]:
    """Work of living peers in these files that no claim of theirs stands for, nor one of the actor's own."""
    claimed = {(one.held.agent_id, path) for one in met if one.held.mode and not one.elsewhere for path in one.files}
    me = scope.actor.agent_id
    files = {base.key(target.path): target.path for target in wanted.files}
    found = []
    for work in others.living:
        owner = others.owner.get(work.agent_id)
        touched = [files[work.file_key]] if work.file_key in files else []
        touched += _progress().touched(base, work.file_path, wanted.wide)
        if any((owner, path) not in claimed and (me, path) not in claimed for path in touched):
            found.append(_progress().met(scope, base, work, touched, owner))
    return found


def barred(scope: Scope, base: Base, wanted: EditWish, look: Looked = NOTHING_SEEN) -> Verdict | None:
    """The refusal by reading alone, where a living peer holds something of it; nothing else is decided."""
    scope, mine = family(scope)
    over = {seen.work.place for seen in look.sight.seen if not is_work(seen)}
    near = _progress().near(scope, base, wanted.every)
    others = _progress().others(scope, near._replace(works=tuple(one for one in near.works if one.place not in over)))
    at_work = busy(others)
    at_work |= {(came.asked.agent_id, came.asked.file_key) for came in look.sight.came}
    met = touching(scope, base, wanted.every)
    held = [
        one
        for one in met
        if exclusive(one)
        and one.held.agent_id not in mine
        and (not is_bridge(one) or (one.held.agent_id, base.key(one.path)) in at_work)
    ]
    barring = [*living(scope, held), *_at_work(scope, base, wanted, others, met)]
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


def barring_others(scope: Scope, base: Base, targets: list[Target], kin: Container[str]) -> list[Met]:
    """Exclusive claims of agents that are none of ``kin`` on any of these."""
    return [one for one in touching(scope, base, targets) if exclusive(one) and one.held.agent_id not in kin]


def exclusive(met: Met) -> bool:
    """Whether the claim keeps others out, here."""
    return met.held.mode == "exclusive" and not met.elsewhere


def _claim(scope: Scope, base: Base, wanted: EditWish, shared: set[str], prints: dict[str, str]) -> None:
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
    for target in wanted.files:
        place = FilePlace(base.repository, base.worktree, base.key(target.path))
        facts.ask(scope, place, target.path, prints.get(target.path, ""), wanted.how)


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
        f"Nothing was changed. Work on another file meanwhile, stand in line for it (`claim.acquire` with wait), "
        f"or ask {whom(holders[0])}; `claim.list` shows what is held."
    )
    return Verdict(allowed=False, refusal=f"{told}{more} {hint}", holders=holders)
