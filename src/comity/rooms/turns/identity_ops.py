"""Who a host's session is. Servers ask it at every call, so it loads nothing of what is told in a turn."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.agents import prompts
from comity.rooms.turns import speaker
from comity.rooms.turns.model import HostName, HostSessionId, Identity, Processes, Registering, Terminal


def _known(scope: Scope, *, register: bool = True) -> Identity | None:
    found = speaker.look(scope) if register else speaker.find(scope)
    return None if found is None else speaker.identity_of(found)


@op("session.identify", effect="write", example={}, peek=_known)
def identify_session(scope: Scope, *, register: Registering = True) -> Identity:
    """Say which agent a session of an agent host is, registering it when it is new."""
    return speaker.identity_of(speaker.settle(scope) if register else speaker.become(scope))


@op("session.find", effect="read", example={"processes": ["4711:82301"]})
def find_session(
    scope: Scope,
    *,
    processes: Processes,
    host: HostName = "",
    host_session_id: HostSessionId = "",
    terminal: Terminal = False,
) -> Identity:
    """Say which agent a program belongs to: one at an agent's prompt is that agent; empty for a person's.

    It is told by the agent host below which the program runs, or by the session that the host's variable names.
    """
    agent_id = prompts.agent_at(scope, prompts.Prompt(processes, host, host_session_id, terminal))
    if agent_id is None:
        return Identity("", "")
    return speaker.identity_of(scope.acting_as(scope.actor._replace(agent_id=agent_id)))
