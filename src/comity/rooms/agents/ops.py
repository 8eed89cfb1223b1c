"""Operations on sessions, as far as they concern agents alone."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.agents import presence
from comity.rooms.agents.model import Dead, Renewed


@op("session.renew", effect="write", example={})
def renew_session(scope: Scope) -> Renewed:
    """Say that this session lives, so that nobody takes it for dead.

    Workspaces do it by themselves. A sign of life is no event: the log stays as it is. ``renewed`` is false when the
    session is over, a newer one replaced it, or it reports no presence.
    """
    return Renewed(scope.actor.agent_id, scope.actor.session_id, presence.renew(scope))


@op("agent.dead", effect="read", example={})
def dead_agents(scope: Scope) -> Dead:
    """List agents whose process is gone, and how that is known; agent.reap frees what they held."""
    return Dead(presence.dead(scope), scope.tx.one("agents.anybody_in_line") is not None)
