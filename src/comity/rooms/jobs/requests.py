"""Asking for a job, for the rooms whose operations do: one row, bounded, written in the caller's own transaction.

The agent that asks may be gone when the job is carried out. So the row keeps for whom it is done and what that agent
may do (``standing``): the effect is carried out in that agent's name, and nobody asks for its session any more.
"""

from __future__ import annotations

from collections.abc import Mapping

from comity.kernel.event import Event
from comity.kernel.problem import Limited
from comity.kernel.scope import Actor, Scope
from comity.kernel.text import compact
from comity.rooms.jobs import listings
from comity.rooms.jobs.machine import MACHINE
from comity.rooms.jobs.model import MOST_ARGUMENTS_BYTES, MOST_KEPT, Kind, OneJob

_TEXTS = ("agent_id", "session_id", "name", "channel", "project_id", "role", "root", "worktree")
_FLAGS = ("vault_outside", "oversees")


def ask(scope: Scope, kind: Kind, arguments: Mapping[str, object]) -> OneJob:
    """Have a job carried out. Raises Limited ``job.too_many`` and ``job.large``."""
    told = compact(dict(arguments))
    size = len(told.encode())
    if size > MOST_ARGUMENTS_BYTES:
        raise Limited(
            "job.large",
            f"The arguments of a job take {size:,} bytes; {MOST_ARGUMENTS_BYTES:,} are the most.",
            "Name a folder or a file instead of what is in it.",
            limit=MOST_ARGUMENTS_BYTES,
        )
    agent_id = scope.actor.agent_id
    in_all, own = scope.tx.one("jobs.counts", agent_id=agent_id, kind=kind.name) or (0, 0)
    if own >= kind.per_agent or in_all >= kind.in_all:
        whose, limit = ("yours", kind.per_agent) if own >= kind.per_agent else ("all agents together", kind.in_all)
        raise Limited(
            "job.too_many",
            f"{limit} jobs of the kind {kind.name} wait or run already: the most for {whose}.",
            "Wait for one with `job.get`, or cancel one with `job.cancel`.",
            limit=limit,
        )
    scope.tx.run("jobs.forget", kept=MOST_KEPT)
    job_id = scope.new_id()
    scope.tx.run(
        "jobs.insert",
        job_id=job_id,
        kind=kind.name,
        arguments=told,
        state=MACHINE.initial,
        agent_id=agent_id,
        asker=compact(standing(scope.actor)),
        repeatable=int(kind.repeatable),
        most_s=kind.most_s,
        now_ms=scope.now.ms,
    )
    scope.emit(event("job.requested", job_id, kind.name, agent_id, state=MACHINE.initial))
    return listings.get(scope, job_id)


def event(event_type: str, job_id: str, kind: str, agent_id: str, **detail: object) -> Event:
    """An event about a job; whoever asked for the job is woken by it."""
    facts: dict[str, object] = {"job": job_id, "kind": kind, **detail}
    return Event(event_type, agent_id=agent_id, metadata=facts, subjects=(("job", job_id),))


def standing(actor: Actor) -> dict[str, object]:
    """For whom a job is carried out, and what that agent may do, as the row keeps it."""
    return {name: getattr(actor, name) for name in (*_TEXTS, *_FLAGS)}


def asker(told: Mapping[str, object]) -> Actor:
    """The actor in whose name a job is carried out. What a row tells that is no standing counts as not told."""
    texts = {name: told[name] for name in _TEXTS if isinstance(told.get(name), str)}
    flags = {name: told.get(name) is True for name in _FLAGS}
    known = {"agent_id": "", "session_id": "", **texts, **flags}
    return Actor(**known)  # type: ignore[arg-type]
