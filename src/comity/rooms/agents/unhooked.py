"""Agents whose host runs a server of ours and no hook: nobody asks before their edits, or brings them their messages.

Their host may have none, may not trust the project, or was started in another folder, a new worktree, a fresh clone.
"""

from __future__ import annotations

from comity.kernel.scope import Row, Scope
from comity.rooms.agents.agent_hosts import is_agent_host
from comity.rooms.agents.hooked import AGAIN_MS

_BEFORE_MS = AGAIN_MS + 60_000  # before its session registered: a host may start its server later than its hooks


def unhooked(scope: Scope) -> dict[str, str]:
    """The program of each such agent's host, by the agent's id."""
    return {str(one): str(program) for one, program in _bare(scope, None) if is_agent_host(str(program))}


def is_bare(scope: Scope) -> bool:
    """Whether only a server speaks for the actor, whatever its host is."""
    return bool(_bare(scope, scope.actor.agent_id))


def _bare(scope: Scope, agent_id: str | None) -> list[Row]:
    return scope.tx.all("agents.unhooked", agent_id=agent_id, before_s=_BEFORE_MS // 1000)
