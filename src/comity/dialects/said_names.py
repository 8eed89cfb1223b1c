"""The agent's name that a call states in its arguments: compared with whom its session is, and never believed."""

from __future__ import annotations

from comity.dialects.dialect import Ask
from comity.kernel.agent_names import is_made, kind_of
from comity.kernel.problem import Forbidden
from comity.kernel.scope import Actor


class SaidNames:
    """The types of agent as which agents said that they come in, where their names do not tell it."""

    def __init__(self) -> None:
        self._came_as: dict[str, str] = {}  # by agent id

    def require_own(self, ask: Ask, actor: Actor) -> None:
        """Forbidden ``agent.mismatch`` when a call of ``actor`` says that it comes from somebody else."""
        called, agent_id, name = ask.called, actor.agent_id, actor.name
        if not called or called in (agent_id, name, kind_of(name), kind_of(agent_id)):
            return
        if ask.enters and not is_made(called):
            self._came_as[agent_id] = called
        elif called != self._came_as.get(agent_id):
            raise Forbidden(
                "agent.mismatch",
                f"You are {name or agent_id}, not {called}: a session acts for itself alone.",
                f"Leave agent_name out, or send {name or agent_id!r}.",
                agent_id=agent_id,
                name=name,
            )
