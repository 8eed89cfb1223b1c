"""Operations on sessions."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.agents import sessions
from comity.rooms.agents.model import Ended, Reason


@op("session.end", effect="write", example={})
def end_session(scope: Scope, *, reason: Reason = "") -> Ended:
    """Leave every channel and close this session.

    Pending deliveries stay in the queue for the agent's next session. Calling it again, or from a process that a
    newer one has replaced, changes nothing (MACP v1.0 section 2.9).
    """
    sessions.end(scope, reason)
    return Ended(scope.actor.agent_id, scope.actor.session_id)
