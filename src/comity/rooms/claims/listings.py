"""Looking at claims; nothing is written."""

from __future__ import annotations

from importlib import import_module

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.rooms.claims.acquisition import EVERYWHERE, parted
from comity.rooms.claims.model import Claims, WaitingPlace
from comity.rooms.claims.overlaps import Held, touching, verbatim
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.release import in_line


class Filter(NamedTuple):
    """Which claims are wanted: an agent's, those that meet paths, those at exactly the texts of ``verbatim``, those of
    resources.
    """

    agent_id: str | None
    targets: list[Target]
    verbatim: list[str]
    limit: int
    resources: list[Target] = []


def active(scope: Scope, base: Base, wanted: Filter) -> Claims:
    """Active claims by path and age, at most ``limit``."""
    agent_id, limit = wanted.agent_id, wanted.limit
    if wanted.targets or wanted.verbatim or wanted.resources:
        found = [met.held for met in touching(scope, base, wanted.targets)] if wanted.targets else []
        found += [met.held for met in touching(scope, EVERYWHERE, wanted.resources)] if wanted.resources else []
        found += verbatim(scope, wanted.verbatim) if wanted.verbatim else []
        found = sorted(set(found), key=lambda held: (held.file_path, held.claimed_at, held.claim_id))
        found = [held for held in found if agent_id in (None, held.agent_id)]
    else:
        rows = scope.tx.all("claims.active", second=scope.now.second, agent_id=agent_id, limit=limit + 1)
        found = [Held.read(row) for row in rows]
    waiting = _waiting(scope, base, wanted) if in_line(scope) else ()
    return Claims([held.claim(base) for held in found[:limit]], more=len(found) > limit, waiting=waiting)


def _waiting(scope: Scope, base: Base, wanted: Filter) -> tuple[WaitingPlace, ...]:
    parts = parted(base, wanted.targets, wanted.resources) if wanted.targets or wanted.resources else None
    line = import_module("comity.rooms.claims.line")
    found: tuple[WaitingPlace, ...] = line.listed(scope, wanted.agent_id, parts)
    return found
