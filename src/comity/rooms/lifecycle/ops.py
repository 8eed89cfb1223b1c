"""Operations on the workspace as a whole: who is here, what happened, what may be forgotten."""

from __future__ import annotations

from comity.kernel.op import Wait, op
from comity.kernel.scope import Scope
from comity.rooms.agents.model import AgentId
from comity.rooms.channels.model import ChannelId, Level, WaitMs
from comity.rooms.lifecycle import awareness, guide, history
from comity.rooms.lifecycle.model import (
    Agents,
    Cursor,
    Days,
    DryRun,
    EventLimit,
    Events,
    EventTypes,
    Guide,
    Newest,
    Pruned,
    PruneLimit,
    Status,
)


@op("agent.list", effect="read", example={})
def list_agents(scope: Scope) -> Agents:
    """List the agents that are here, with their channels and what waits for them."""
    return Agents(awareness.overview(scope))


@op("guide.show", effect="read", example={})
def show_guide(scope: Scope) -> Guide:
    """Explain how to work with the other agents here."""
    return Guide(guide.text(scope.actor))


def _nothing(page: Events) -> bool:
    return not page.events


@op("event.list", effect="read", example={"newest": 20}, waits=Wait(_nothing, "log"))
def list_events(
    scope: Scope,
    *,
    after: Cursor = "",
    newest: Newest = 0,
    limit: EventLimit = 100,
    event_types: EventTypes | None = None,
    agent_id: AgentId | None = None,
    channel_id: ChannelId | None = None,
    min_priority: Level = 0,
    wait_ms: WaitMs = 0,
) -> Events:
    """Read the log of everything that happened, from a cursor on.

    With ``wait_ms`` an empty page waits for an event. ``min_priority`` keeps only events of messages of that urgency.
    """
    return history.page(scope, after, newest, limit, history.Filter(event_types, agent_id, channel_id, min_priority))


@op("workspace.status", effect="read", example={})
def workspace_status(scope: Scope) -> Status:
    """Count what the workspace holds: agents, channels, pending and past deliveries, events."""
    return awareness.count(scope)


def _count_only(
    scope: Scope, *, older_than_days: float = 30, limit: int = 2000, dry_run: bool = False
) -> Pruned | None:
    return history.prunable(scope, older_than_days) if dry_run else None


@op("workspace.prune", effect="write", example={"older_than_days": 30, "dry_run": True}, peek=_count_only)
def prune_workspace(
    scope: Scope, *, older_than_days: Days = 30, limit: PruneLimit = 2000, dry_run: DryRun = False
) -> Pruned:
    """Remove finished messages, old events and finished claims.

    Pending messages are never removed. One call removes at most ``limit`` rows of each kind, so that it holds the
    write lock briefly; call again while ``more`` is true.
    """
    return history.prune(scope, older_than_days, limit)
