"""Operations on work in progress: whose it is, and what of it is still there."""

from __future__ import annotations

from comity.kernel.clock import Instant
from comity.kernel.op import long_op
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps
from comity.rooms.agents import presence
from comity.rooms.claims import paths
from comity.rooms.claims.paths import Base
from comity.rooms.claims.places import Places
from comity.rooms.edits import landings, progress, verification
from comity.rooms.edits.model import InProgress, Settled, UncommittedFile
from comity.rooms.edits.sight import Near, Sight, is_work
from comity.rooms.turns import speaker
from comity.rooms.work import facts, standing
from comity.rooms.work.facts import Asked, FilePlace, NewWork, Work
from comity.system import changed_files
from comity.system.checkouts import here, name_of
from comity.system.fingerprints import stamp


@long_op("work.list", effect="read", example={})
def list_work(steps: Steps) -> InProgress:
    """List files with uncommitted work in them, whose it is, and edits that were only asked for."""
    works, asked = steps.read(_known)
    sight = verification.looked(works, asked)
    made = {one.asked for one in sight.came}
    works = [one.work for one in sight.seen if is_work(one)]
    works += [verification.as_work(one) for one in sight.came if not one.over]
    return steps.read(_listed, works, [one for one in asked if one not in made])


@long_op("work.settle", effect="write", example={})
def settle_work(steps: Steps) -> Settled:
    """Forget work that is committed by now.

    For an agent that has just come, note what the only other one had changed before.
    """
    works, asked = steps.read(_known)
    sight = verification.looked(works, asked)
    base = paths.base_of(steps.actor)
    other = steps.read(_only_other, base)
    before = _before(base, other[1]) if other is not None else []
    if any(not is_work(one) for one in sight.seen) or sight.came or before:
        steps.write(_note, sight, other[0] if other is not None else "", before)
    return Settled(sum(not is_work(one) for one in sight.seen))


def _known(scope: Scope) -> tuple[list[Work], list[Asked]]:
    return progress.works(scope), facts.asked_in(scope, name_of(scope.actor.root), ())


def _listed(scope: Scope, works: list[Work], asked: list[Asked]) -> InProgress:
    state = progress.others(scope, Near(tuple(works), tuple(asked), frozenset()))
    left = {*state.left}
    files = [
        UncommittedFile(
            work.file_path,
            state.owner.get(work.agent_id) or work.agent_id,
            work.agent_name,
            "left behind" if work in left else "in progress",
            Instant.at(work.changed_ms).iso,
            work.worktree,
            kept=bool(work.content),
        )
        for work in works
    ]
    there = {(one.worktree, one.file_path, one.agent_id) for one in files}
    files += [
        UncommittedFile(
            one.file_path, one.agent_id, one.agent_name, "asked for", Instant.at(one.asked_ms).iso, one.worktree
        )
        for one in state.pending
        if (one.worktree, one.file_path, one.agent_id) not in there
    ]
    return InProgress(sorted(files, key=lambda one: (one.state, one.worktree, one.file_path)))


def _only_other(scope: Scope, base: Base) -> tuple[str, int] | None:
    """The one other agent that lives in this checkout, and since when (ms); None unless the caller is new here.

    Where several are, each command of each was looked at.
    """
    scope = speaker.find(scope) or scope
    me = scope.actor.agent_id
    if not base.folder or scope.tx.one("edits.open", agent_id=me) != (0,) or facts.of_agent(scope, me, 1):
        return None
    kin = progress.kin(scope)
    others = [
        one.agent_id
        for one, _ in presence.verdicts(scope)
        if one.agent_id not in kin and "\0" not in one.worktree and here(one.worktree or "/") == base.folder
    ]
    alive = standing.of(scope, others)
    living = [agent_id for agent_id in dict.fromkeys(others) if alive.living(agent_id)]
    row = scope.tx.one("edits.began_ms", agent_id=living[0]) if len(living) == 1 else None
    # The second of its beginning is left out: what the person made just before does not become the agent's.
    return (living[0], int(row[0]) + 1000) if row is not None and isinstance(row[0], int) else None


def _before(base: Base, since_ms: int) -> list[tuple[FilePlace, str, str]]:
    """What differs in the checkout and was changed since then: place, path and stamp of each file."""
    look = changed_files.changed_since(base.folder, since_ms * 1_000_000)
    places = Places(base)
    found = []
    for one in look.changed if look is not None else ():
        named = places.entry(one.path)
        if named is not None:
            there, target = named
            place = FilePlace(there.repository, there.worktree, there.key(target.path))
            found.append((place, target.path, stamp(one.path)))
    return found


def _note(scope: Scope, sight: Sight, agent_id: str, before: list[tuple[FilePlace, str, str]]) -> None:
    scope = speaker.settle(scope)
    landings.note(scope, sight)
    known = {work.place for work in progress.works(scope)}
    for place, file_path, seen in before:
        if place not in known:
            changed_ms = min(scope.now.ms, int(seen.partition(":")[0] or 0) // 1_000_000)
            facts.put(scope, NewWork(place, file_path, agent_id, changed_ms, "before", "", seen))
