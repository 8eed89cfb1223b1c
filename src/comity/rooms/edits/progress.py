"""What others have in progress: their uncommitted work, what the dead left behind, and what was asked for and is to
come.

Rows are what was last known of it. Whether a file still differs from the last commit is looked at between transactions,
by ``edits.verification``, and only where somebody is about to touch it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from comity.kernel.scope import Scope
from comity.rooms.agents import identity
from comity.rooms.claims.overlaps import Held, Met
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.patterns import exactly
from comity.rooms.edits.claim_words import ASKED, WORK
from comity.rooms.edits.sight import Near, Others
from comity.rooms.turns import speaker
from comity.rooms.work import facts, standing
from comity.rooms.work.facts import Asked, Work
from comity.system.checkouts import name_of


def kin(scope: Scope) -> frozenset[str]:
    """The actor, its ancestors and silent subagents of theirs: what they have in progress keeps it from nothing."""
    return frozenset(identity.kin(scope, scope.actor.agent_id))


def near(scope: Scope, base: Base, targets: Sequence[Target]) -> Near:
    """What is known at these files of one checkout, own requests included; empty for most."""
    scope = speaker.find(scope) or scope
    mine = kin(scope)
    keys = [base.key(target.path) for target in targets if target.literal]
    asked = facts.asked_at(scope, base.repository, base.worktree, keys, ())
    works = facts.at(scope, base.repository, base.worktree, keys)
    wide = [target for target in targets if not target.literal]
    if wide:
        works += [work for work in _elsewhere(scope, base) if _meets(base, work, wide) and work not in works]
        there = facts.asked_in(scope, base.repository, ())
        asked += [
            one for one in there if one.worktree == base.worktree and _meets(base, one, wide) and one not in asked
        ]
    return Near(tuple(work for work in works if work.agent_id not in mine), tuple(asked), mine)


def _elsewhere(scope: Scope, base: Base) -> list[Work]:
    return [work for work in facts.of_repository(scope, base.repository) if work.worktree == base.worktree]


def _meets(base: Base, work: Work | Asked, wide: Sequence[Target]) -> bool:
    return bool(touched(base, work.file_path, wide))


def touched(base: Base, path: str, wide: Iterable[Target]) -> list[str]:
    """Those of these folders and globs that mean a file."""
    text = exactly(path, base.fold).text
    found = []
    for target in wide:
        pattern = target.pattern(base)
        if pattern.text in (".", text) or (pattern.plain and text.startswith(pattern.text + "/")):
            found.append(target.path)
    return found


def works(scope: Scope) -> list[Work]:
    """What anybody has in progress in the project, the actor included."""
    return facts.of_repository(scope, name_of(scope.actor.root))


def own_works(scope: Scope) -> list[Work]:
    """What the actor and those above it have in progress."""
    mine = kin(scope)
    return [work for work in works(scope) if work.agent_id in mine]


def own_asked(scope: Scope) -> list[Asked]:
    """What the actor asked for."""
    return facts.asked_by(scope, (speaker.find(scope) or scope).actor.agent_id)


def all_near(scope: Scope) -> Near:
    """What others have in progress anywhere in the project."""
    scope = speaker.find(scope) or scope
    mine = kin(scope)
    works = [work for work in facts.of_repository(scope, name_of(scope.actor.root)) if work.agent_id not in mine]
    return Near(tuple(works), tuple(facts.asked_in(scope, name_of(scope.actor.root), mine)), mine)


def others(scope: Scope, near: Near) -> Others:
    """Whose it is, now."""
    if not near.works and not near.asked:
        return Others()
    asked = [one for one in near.asked if one.agent_id not in near.kin and not one.let_go]
    state = standing.of(scope, [*(work.agent_id for work in near.works), *(one.agent_id for one in asked)])
    living: list[Work] = []
    left: list[Work] = []
    for work in near.works:
        owner = state.owner.get(work.agent_id)
        if owner in near.kin or near.kin & {*work.also}:
            continue
        held = owner is not None and not work.let_go and work.how != facts.BACKGROUND
        (living if held else left).append(work)
    pending = [
        one for one in asked if state.living(one.agent_id) and state.rested_ms.get(one.agent_id, -1) < one.asked_ms
    ]
    return Others(tuple(living), tuple(left), tuple(pending), state.owner)


def held(scope: Scope, work: Work, owner: str | None) -> Held:
    """Work as something held: by its owner, exclusively, since it was changed."""
    agent_id = owner or work.agent_id
    name = work.agent_name if agent_id == work.agent_id else _name(scope, agent_id)
    where = (work.repository, work.worktree, work.changed_ms // 1000, 0, 1)
    return Held(WORK, agent_id, "", work.file_path, "", "", None, "exclusive", 0, name, *where)


def met(scope: Scope, base: Base, work: Work, files: list[str], owner: str | None) -> Met:
    """The same as it meets wanted paths."""
    return Met(held(scope, work, owner), work.file_path, exactly(work.file_path, base.fold), files, elsewhere=False)


def asking(asked: Asked, base: Base) -> Met:
    """A request that may be carried out any moment, as something held."""
    where = (asked.repository, asked.worktree, asked.asked_ms // 1000, 0, 1)
    held = Held(ASKED, asked.agent_id, "", asked.file_path, "", "", None, "exclusive", 0, asked.agent_name, *where)
    return Met(held, asked.file_path, exactly(asked.file_path, base.fold), [asked.file_path], elsewhere=False)


def _name(scope: Scope, agent_id: str) -> str:
    row = scope.tx.one("agents.name_of", agent_id=agent_id)
    return str(row[0]) if row is not None and row[0] else agent_id
