"""Letting go of claims: some by name, or all that an agent or one of its sessions has."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from comity.kernel.event import Event
from comity.kernel.hints import Any
from comity.kernel.scope import Row, Scope
from comity.rooms.agents import presence
from comity.rooms.claims.expiry import mark_lapsed
from comity.rooms.claims.model import Released
from comity.rooms.claims.overlaps import Held, Met, readable, touching
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.patterns import exactly, holds
from comity.rooms.work import facts
from comity.rooms.work.facts import Asked, Work


def _none(names: list[str]) -> list[str]:  # noqa: ARG001 (the shape of a choice)
    return []


def release(
    scope: Scope, base: Base, targets: list[Target], reason: str, resources: Callable[[list[str]], list[str]] = _none
) -> Released:
    """Release this session's claims at these paths, and the resources that ``resources`` picks of those it has.

    A path that is held is released alone; a glob that is not held itself releases whatever lies in it. Places in line
    for any of these are given up.
    """
    actor = scope.actor
    me = (actor.agent_id, actor.session_id)
    met = touching(scope, base, targets)
    own = [one for one in met if (one.held.agent_id, one.held.session_id) == me and not one.elsewhere]
    chosen: dict[tuple[str, str], Met] = {}
    for target in targets:
        for one in _named(base, own, target):
            chosen[one.held.claim_id, one.held.file_path] = one
    named = [*chosen, *_resources(scope, resources)]
    for claim_id, file_path in named:
        _release(scope, claim_id, file_path, reason)
    paths = [chosen[key].path if key in chosen else key[1] for key in named]
    released = list(dict.fromkeys([*paths, *_work_let_go(scope, base, targets)]))
    _tell(scope, actor.agent_id, released, reason)
    left = dict.fromkeys(one.path for one in own if (one.held.claim_id, one.held.file_path) not in chosen)
    given_up: list[str] = _serving().leave(scope, base, targets, resources) if in_line(scope) else []
    serve(scope)
    return Released(released, tuple(left), tuple(given_up))


def _resources(scope: Scope, chosen: Callable[[list[str]], list[str]]) -> list[tuple[str, str]]:
    """Claims of resources that this session has, of those that are chosen."""
    me = (scope.actor.agent_id, scope.actor.session_id)
    rows = (
        scope.tx.all("claims.active", second=scope.now.second, agent_id=me[0], limit=-1) if chosen is not _none else []
    )
    held = [one for one in map(Held.read, rows) if one.resource and (one.agent_id, one.session_id) == me]
    names = chosen([one.file_path for one in held])
    return [(one.claim_id, one.file_path) for one in held if one.file_path in names]


def in_line(scope: Scope) -> bool:
    """Whether anybody waits for a turn."""
    return scope.tx.one("claims.anybody_in_line") is not None


def serve(scope: Scope) -> None:
    """Something may be free: whoever waits for it has it now."""
    if in_line(scope):
        _serving().advance(scope)


def _serving() -> Any:
    return import_module("comity.rooms.claims.serving")


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


def release_deserted(scope: Scope) -> bool:
    """Release what sessions hold that are certainly dead, for whoever asks now; whether there is any such session.

    The reaper does the rest.
    """
    dead = presence.dead(scope)
    for gone in dead:
        release_all(scope, gone.agent_id, gone.session_id, "reaped")
    return bool(dead)


def release_all(scope: Scope, agent_id: str, session_id: str | None, reason: str) -> list[str]:
    """Release everything that an agent holds, in one session or in any; the paths. For rooms that end agents."""
    if in_line(scope):
        scope.tx.run("claims.leave_all_lines", agent_id=agent_id)
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
    serve(scope)
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
