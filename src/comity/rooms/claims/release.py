"""Letting go of claims: some by name, or all that an agent or one of its sessions has."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.scope import Row, Scope
from comity.rooms.agents import presence
from comity.rooms.claims.expiry import mark_lapsed
from comity.rooms.claims.model import Released
from comity.rooms.claims.overlaps import Met, readable, touching
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.patterns import exactly, holds
from comity.rooms.work import facts
from comity.rooms.work.facts import Asked, Work


def release(scope: Scope, base: Base, targets: list[Target], reason: str) -> Released:
    """Release this session's claims at these paths.

    A path that is held is released alone; a glob that is not held itself releases whatever lies in it.
    """
    actor = scope.actor
    me = (actor.agent_id, actor.session_id)
    met = touching(scope, base, targets)
    own = [one for one in met if (one.held.agent_id, one.held.session_id) == me and not one.elsewhere]
    chosen: dict[tuple[str, str], Met] = {}
    for target in targets:
        for one in _named(base, own, target):
            chosen[one.held.claim_id, one.held.file_path] = one
    for claim_id, file_path in chosen:
        _release(scope, claim_id, file_path, reason)
    released = list(dict.fromkeys([*(one.path for one in chosen.values()), *_work_let_go(scope, base, targets)]))
    _tell(scope, actor.agent_id, released, reason)
    left = dict.fromkeys(one.path for one in own if (one.held.claim_id, one.held.file_path) not in chosen)
    return Released(released, tuple(left))


def _work_let_go(scope: Scope, base: Base, targets: list[Target]) -> list[str]:
    """Files there in which the actor has uncommitted work, or that it was let edit: others may have them now."""
    agent_id = scope.actor.agent_id
    outer = [(base.key(target.path), target.pattern(base)) for target in targets]
    free = []
    own: list[Work | Asked] = [*facts.of_agent(scope, agent_id), *facts.asked_by(scope, agent_id)]
    for one in own:
        here = (one.repository, one.worktree) == (base.repository, base.worktree) and not one.let_go
        inner = exactly(one.file_path, base.fold)
        if here and any(key == one.file_key or holds(pattern, inner) for key, pattern in outer):
            facts.let_go(scope, one.place, agent_id)
            free.append(one.file_path)
    return free


def release_deserted(scope: Scope) -> None:
    """Release what sessions hold that are certainly dead, for whoever asks now. The reaper does the rest."""
    for gone in presence.dead(scope):
        release_all(scope, gone.agent_id, gone.session_id, "reaped")


def release_all(scope: Scope, agent_id: str, session_id: str | None, reason: str) -> list[str]:
    """Release everything that an agent holds, in one session or in any; the paths. For rooms that end agents."""
    rows = scope.tx.all("claims.unreleased", agent_id=agent_id, session_id=session_id)
    released = release_these(scope, agent_id, rows, reason)
    mark_lapsed(scope)
    return released


def release_these(scope: Scope, agent_id: str, rows: list[Row], reason: str) -> list[str]:
    """Release an agent's claims by their ids and paths; the paths."""
    for claim_id, file_path in rows:
        _release(scope, claim_id, file_path, reason)
    released = list(dict.fromkeys(readable(file_path) for _, file_path in rows))
    _tell(scope, agent_id, released, reason)
    return released


def _named(base: Base, own: list[Met], target: Target) -> list[Met]:
    key = base.key(target.path)
    exact = [one for one in own if base.key(one.path) == key]
    outer = target.pattern(base)
    return exact if exact or outer.plain else [one for one in own if holds(outer, one.pattern)]


def _release(scope: Scope, claim_id: str, file_path: str, reason: str) -> None:
    scope.tx.run("claims.release", now=scope.now.iso, reason=reason, claim_id=claim_id, file_path=file_path)


def _tell(scope: Scope, agent_id: str, files: list[str], reason: str) -> None:
    if files:
        detail: dict[str, object] = {"files": files, "reason": reason}
        scope.emit(Event("claim.released", agent_id=agent_id, metadata=detail))
