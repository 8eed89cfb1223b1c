"""Who is here, and what the workspace holds (protocol reference section 4.2)."""

from __future__ import annotations

from functools import lru_cache

from comity.kernel.clock import Instant
from comity.kernel.scope import Row, Scope
from comity.kernel.text import read_object, read_strings
from comity.rooms.agents import doubles, presence
from comity.rooms.agents.doubles import Double
from comity.rooms.agents.liveness import Reported, Verdict
from comity.rooms.agents.model import DEFAULT_QUEUE_LIMIT
from comity.rooms.agents.unhooked import unhooked
from comity.rooms.lifecycle.model import AgentOverview, AgentPresence, Damped, Pause, Pending, Status

_HOUR_MS = 3_600_000


def overview(scope: Scope) -> list[AgentOverview]:
    """Every agent with an active session, by id."""
    channels: dict[str, list[str]] = {}
    for agent_id, channel_id in scope.tx.all("lifecycle.memberships"):
        channels.setdefault(agent_id, []).append(channel_id)
    rows = _rows(scope, None)
    doubled, bare = doubles.by_agent(scope), unhooked(scope)
    known = {
        reported.session_id: _presence(
            reported, verdict, doubled.get(reported.agent_id, []), hooks=reported.agent_id not in bare
        )
        for reported, verdict in presence.verdicts(scope)
    }
    return [_agent(row, channels.get(row[0], []), known.get(row[2])) for row in rows]


def one(scope: Scope, agent_id: str) -> AgentOverview | None:
    """One agent with an active session, without its presence."""
    rows = _rows(scope, agent_id)
    channels = [row[0] for row in scope.tx.all("lifecycle.channels_of", agent_id=agent_id)]
    return _agent(rows[0], channels, None) if rows else None


def _rows(scope: Scope, agent_id: str | None) -> list[Row]:
    return scope.tx.all("lifecycle.agents", second=scope.now.second, now=scope.now.iso, agent_id=agent_id)


def _presence(reported: Reported, verdict: Verdict, doubled: list[Double], *, hooks: bool) -> AgentPresence:
    also = "".join(f"; process {one.pid}, {one.called}, has the same session id" for one in doubled)
    hooks = hooks or verdict.state in ("dead", "lapsed")
    also += "" if hooks else "; no hooks: nobody asks before its edits"
    return AgentPresence(
        verdict.state,
        verdict.how + also,
        Instant.at(reported.last_seen_ms).iso,
        reported.program,
        reported.machine,
        reported.pid,
        reported.worktree,
        reported.host_session_id,
        hooks,
        tuple(one.agent_id for one in doubled),
    )


def _agent(row: Row, channels: list[str], known: AgentPresence | None) -> AgentOverview:
    tags, limit, role, context_bytes = _declared(*row[6:9])
    agent_id, name, session_id, registered_at, status, profile_slug = row[:6]
    return AgentOverview(
        agent_id,
        name,
        session_id,
        registered_at,
        status,
        profile_slug,
        channels=channels,
        interest_tags=list(tags),
        max_pending_messages=limit,
        pending_deliveries=row[9],
        active_claims=row[10],
        role=role,
        max_context_bytes=context_bytes,
        presence=known,
    )


@lru_cache(maxsize=512)
def _declared(
    tags: object, preferences: object, capabilities: object
) -> tuple[tuple[str, ...], int, str | None, int | None]:
    """Tags, bound of the queue, role and byte budget, as an agent declared them: the same JSON at every look."""
    limit = (read_object(preferences) or {}).get("max_pending_messages")
    able = read_object(capabilities) or {}
    role, context_bytes = able.get("role"), able.get("max_context_bytes")
    return (
        tuple(read_strings(tags) or ()),
        int(limit) if isinstance(limit, int | float) else DEFAULT_QUEUE_LIMIT,
        role if isinstance(role, str) else None,
        int(context_bytes) if isinstance(context_bytes, int | float) else None,
    )


def count(scope: Scope) -> Status:
    """Counts of what the file holds."""
    row = scope.tx.one("lifecycle.counts")
    agents, channels, newest, first, last_event, first_event, oldest = row or (0, 0, None, 0, None, 0, None)
    waiting: dict[int, int] = dict(scope.tx.all("lifecycle.pending", second=scope.now.second))
    return Status(
        scope.actor.project_id,
        agents,
        channels,
        Pending(sum(waiting.values()), waiting.get(3, 0), waiting.get(2, 0), waiting.get(1, 0), waiting.get(0, 0)),
        0 if newest is None else newest - first + 1,
        0 if last_event is None else last_event - first_event + 1,
        oldest,
        tuple(
            Damped(sender, target, why, Instant.at(at_ms).iso, times)
            for sender, target, why, at_ms, times in scope.tx.all("lifecycle.damped", since_ms=scope.now.ms - _HOUR_MS)
        ),
        pause(scope),
        committed(scope),
    )


def committed(scope: Scope) -> tuple[str, ...]:
    """Commits of the last day that took in what a peer had not committed, in sentences."""
    return tuple(str(row[0]) for row in scope.tx.all("lifecycle.committed_work", since_ms=scope.now.ms - 24 * _HOUR_MS))


def pause(scope: Scope) -> Pause | None:
    """The pause that lasts now."""
    row = scope.tx.one("lifecycle.pause", now_ms=scope.now.ms)
    if row is None:
        return None
    agent_id, name, reason, since_ms, until_ms = row
    until = None if until_ms is None else Instant.at(until_ms).iso
    return Pause(agent_id, name, reason, Instant.at(since_ms).iso, until)
