"""Operations on the workspace as a whole: who is here, what happened, what may be forgotten."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.op import Wait, op
from comity.kernel.scope import Scope
from comity.rooms.agents.model import AgentId, Reason
from comity.rooms.agents.sessions import set_state
from comity.rooms.agents.unhooked import is_bare
from comity.rooms.channels.model import ChannelId, Level, WaitMs
from comity.rooms.lifecycle import awareness, context, departure, guide, history
from comity.rooms.lifecycle.model import (
    Agents,
    AgentState,
    Certain,
    Cursor,
    Days,
    DryRun,
    Ended,
    EventLimit,
    Events,
    EventTypes,
    Guide,
    HooksHeard,
    Newest,
    PendingLimit,
    Pruned,
    PruneLimit,
    Reaped,
    SessionContext,
    Status,
)

MAX_PENDING = 1000  # the protocol knows no bound; more is cut to this


@op("agent.list", effect="read", example={})
def list_agents(scope: Scope) -> Agents:
    """List the agents that are here, with their channels and what waits for them."""
    return Agents(awareness.overview(scope))


@op("agent.hooks", effect="read", example={})
def agent_hooks(scope: Scope) -> HooksHeard:
    """Say whether hooks of your agent host are heard: without them nobody asks before your edits.

    Only of a session with a server can it be said that none is.
    """
    return HooksHeard(not is_bare(scope))


@op("agent.context", effect="read", needs="session", example={"pending_limit": 5})
def agent_context(
    scope: Scope, *, channel_id: ChannelId | None = None, pending_limit: PendingLimit = 10
) -> SessionContext:
    """Show where you stand: your state, waiting messages, who holds which files, memory counts.

    Changes nothing: messages stay unread.
    """
    return context.snapshot(scope, channel_id, min(pending_limit, MAX_PENDING))


@op("session.end", effect="write", example={})
def end_session(scope: Scope, *, reason: Reason = "") -> Ended:
    """Stop for good: free what this session holds, leave every channel and close it.

    Claims are released, unfinished tasks return to the queue. Pending deliveries stay in the queue for the agent's next
    session. Calling it again, or from a process that a newer one has replaced, changes nothing (MACP v1.0 section 2.9).
    """
    freed = departure.leave(scope, "inactive", reason, "deactivated")
    held = () if freed is None else map(tuple, freed)
    return Ended(scope.actor.agent_id, scope.actor.session_id, *held)


def _stranger(scope: Scope, *, reason: str = "") -> Ended | None:
    if departure.knows(scope):
        return None
    return Ended(scope.actor.agent_id, scope.actor.session_id)


@op("session.leave", effect="write", example={"reason": "exit"}, peek=_stranger)
def leave_session(scope: Scope, *, reason: Reason = "") -> Ended:
    """Say that the host's session is over: what its hooks claimed is released, and its subagents end.

    An agent that has a server of its own lives on as long as that; any other is gone, except when its context was only
    cleared. Nothing happens for a caller that is no session of a host.
    """
    actor = scope.actor
    return Ended(actor.agent_id, actor.session_id, tuple(departure.part(scope, reason)))


@op("agent.sleep", effect="write", needs="session", example={"reason": "waiting for a review"})
def sleep_agent(scope: Scope, *, reason: Reason | None = None) -> AgentState:
    """Show others that this agent rests; it keeps what it holds and still gets messages.

    Registering again wakes it.
    """
    set_state(scope, scope.actor.agent_id, "sleeping", None, reason)
    scope.emit(Event("agent.slept", agent_id=scope.actor.agent_id, metadata=_why(reason)))
    return AgentState(scope.actor.agent_id, "sleeping")


@op("agent.deactivate", effect="write", needs="session", example={"reason": "done for today"})
def deactivate_agent(scope: Scope, *, reason: Reason | None = None) -> AgentState:
    """Leave: release claims, return unfinished tasks, leave every channel, close the session."""
    return _leave(scope, "inactive", reason, "deactivated")


@op("agent.delete", effect="write", needs="session", example={"reason": "no longer needed"})
def delete_agent(scope: Scope, *, reason: Reason | None = None) -> AgentState:
    """Leave and be marked as deleted; nothing is removed, and registering again brings the agent back."""
    return _leave(scope, "deleted", reason, "deleted")


def _leave(scope: Scope, status: str, reason: str | None, release_reason: str) -> AgentState:
    freed = departure.leave(scope, status, reason or "", release_reason)
    assert freed is not None, "the session was active a moment ago"
    return AgentState(scope.actor.agent_id, status, *map(tuple, freed))


def _why(reason: str | None) -> dict[str, object] | None:
    return {"reason": reason} if reason else None


@op("agent.reap", effect="write", example={}, peek=departure.look_for_dead)
def reap_agents(scope: Scope, *, agent_id: AgentId | None = None, certain: Certain = False) -> Reaped:
    """Find agents whose process is gone, and free what they held.

    Running servers do it all the time. Claims are released, unfinished tasks return to the queue with a note,
    memberships end, the session is closed, all in one transaction. An agent that is seen running, or that reports no
    presence, is never touched; one whose process cannot be seen only once its lease has lapsed. Scripts and people at
    a prompt have no process that stays, and a lease of a day. On the word of whoever oversees they count as gone, too:
    after five minutes without a sign of life, or at once the one that ``agent_id`` names.
    """
    return departure.reap(scope, agent_id, certain=certain)


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
    Through a server, how a direct message begins is shown to the two that it is between, and to admins.
    """
    types = None if event_types is None else tuple(event_types)
    return history.page(scope, after, newest, limit, history.EventFilter(types, agent_id, channel_id, min_priority))


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
