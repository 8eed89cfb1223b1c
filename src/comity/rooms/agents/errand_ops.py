"""Errands: a program that runs for an agent, under a name of its own and for as long as it runs.

So what it holds keeps others of the same agent out, and is free when the program ends; what the agent itself holds
keeps the program from nothing.
"""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.agents.model import AgentId, Errand


@op("session.errand", effect="write", needs="session", example={"agent_id": "bob"})
def begin_errand(scope: Scope, *, agent_id: AgentId) -> Errand:
    """Say that this session runs an errand for another agent, as a subagent of it.

    It is forgotten when the session ends.
    """
    scope.tx.run("agents.errand", agent_id=scope.actor.agent_id, parent_agent_id=agent_id)
    return Errand(scope.actor.agent_id, agent_id)
