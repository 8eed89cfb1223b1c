"""Looking at claims; nothing is written."""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.rooms.claims.model import Claims
from comity.rooms.claims.overlaps import Held, touching, verbatim
from comity.rooms.claims.paths import Base, Target


class Filter(NamedTuple):
    """Which claims are wanted: an agent's, those that meet paths, those at exactly the texts of ``verbatim``."""

    agent_id: str | None
    targets: list[Target]
    verbatim: list[str]
    limit: int


def active(scope: Scope, base: Base, wanted: Filter) -> Claims:
    """Active claims by path and age, at most ``limit``."""
    agent_id, limit = wanted.agent_id, wanted.limit
    if wanted.targets or wanted.verbatim:
        found = [met.held for met in touching(scope, base, wanted.targets)] if wanted.targets else []
        found += verbatim(scope, wanted.verbatim) if wanted.verbatim else []
        found = sorted(set(found), key=lambda held: (held.file_path, held.claimed_at, held.claim_id))
        found = [held for held in found if agent_id in (None, held.agent_id)]
    else:
        rows = scope.tx.all("claims.active", second=scope.now.second, agent_id=agent_id, limit=limit + 1)
        found = [Held.read(row) for row in rows]
    return Claims([held.claim(base) for held in found[:limit]], more=len(found) > limit)
