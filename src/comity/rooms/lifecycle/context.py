"""One agent's whole situation in one read: who it is, what waits for it, who holds what (protocol reference 4.2).

Counts are by the protocol's strict rule (deadline > now). Rows that other programs wrote malformed are shown as far as
they can be read.
"""

from __future__ import annotations

from comity.kernel.javascript import preview
from comity.kernel.scope import Row, Scope
from comity.kernel.text import read_object
from comity.rooms.agents.sessions import require_agent
from comity.rooms.channels import deliveries
from comity.rooms.channels.model import PRIORITIES
from comity.rooms.claims import listings, paths
from comity.rooms.claims.model import Claim
from comity.rooms.lifecycle import awareness
from comity.rooms.lifecycle.model import (
    AgentSituation,
    HeldClaims,
    MemoryCounts,
    PendingContext,
    PendingDelivery,
    SessionContext,
)
from comity.rooms.memory import places

PREVIEW_UNITS = 200  # UTF-16 units
MAX_CLAIMS = 1000


def snapshot(scope: Scope, channel_id: str | None, pending_limit: int) -> SessionContext:
    """The actor's situation.

    Without membership the default channel's memories are not counted; a channel that was named is refused with
    Forbidden ``MACP_ERR_SENDER_NOT_MEMBER``. Unauthenticated ``agent.unnamed`` when there is no such agent.
    """
    require_agent(scope)
    me = awareness.one(scope, scope.actor.agent_id)
    assert me is not None, "the session was active a moment ago"
    seen = places.view(scope, channel_id)
    return SessionContext(
        AgentSituation(
            me.agent_id,
            me.session_id,
            me.name,
            me.registered_at,
            me.status,
            me.profile_slug,
            me.interest_tags,
            me.channels,
            role=me.role,
        ),
        _pending(scope, pending_limit),
        _claims(scope),
        _memories(scope, seen),
    )


def _pending(scope: Scope, limit: int) -> PendingContext:
    mine = {"agent_id": scope.actor.agent_id, **deliveries.overdue(scope)}
    counts: dict[object, int] = dict(scope.tx.all("lifecycle.pending_of", **mine))
    waiting = [_delivery(row) for row in scope.tx.all("lifecycle.first_pending", **mine, limit=limit)]
    interrupt, steering, advisory, info = (counts.get(level, 0) for level in (3, 2, 1, 0))
    return PendingContext(sum(counts.values()), interrupt, steering, advisory, info, waiting)


def _delivery(row: Row) -> PendingDelivery:
    delivery_id, message_id, channel_id, sent_by, priority, kind, content, timestamp, state = row
    sender = read_object(sent_by) or {}
    agent_id, name = sender.get("agent_id"), sender.get("name")
    return PendingDelivery(
        delivery_id,
        message_id,
        channel_id,
        agent_id if isinstance(agent_id, str) else "unknown",
        name if isinstance(name, str) else "unknown",
        priority,
        PRIORITIES[priority] if priority in (0, 1, 2, 3) else "unknown",
        kind,
        preview(content, PREVIEW_UNITS),
        timestamp,
        state,
    )


def _claims(scope: Scope) -> HeldClaims:
    wanted = listings.Filter(None, [], [], MAX_CLAIMS)
    active = listings.active(scope, paths.base_of(scope.actor), wanted)
    own: list[Claim] = []
    peers: list[Claim] = []
    for claim in active.claims:
        (own if claim.agent_id == scope.actor.agent_id else peers).append(claim)
    return HeldClaims(own, peers, active.more)


def _memories(scope: Scope, seen: places.View) -> MemoryCounts:
    channel = "" if seen.channel_id is None else seen.channel_id
    row = scope.tx.one("lifecycle.memory_counts", agent_id=seen.agent_id, channel_id=channel)
    return MemoryCounts._make(row or (0, 0, 0))
