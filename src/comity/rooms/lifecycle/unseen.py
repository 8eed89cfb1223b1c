"""Who may be reaped: the dead; and agents at a prompt, of whom nothing can be seen, on the word of whoever oversees.

A script that takes a task by `comity task next` has no process that stays, and counts as present for a day. So its
death cannot be known, and somebody has to say so.
"""

from __future__ import annotations

from comity.kernel.clock import Instant
from comity.kernel.problem import Conflict, NotFound
from comity.kernel.quoting import called
from comity.kernel.scope import Scope
from comity.rooms.agents import presence
from comity.rooms.agents.liveness import LONG_LEASE_MS, Reported
from comity.rooms.agents.model import DeadAgent

SILENT_MS = 300_000  # after which whoever oversees gives up an agent at a prompt without naming it


def gone(scope: Scope, agent_id: str | None, *, certain: bool) -> list[DeadAgent]:
    """The dead, but not the actor's own session; only the one that is named, if one is.

    Without ``certain`` the actor's word counts, if it oversees, for agents at a prompt that have been silent for a
    while, and for the one that it names whatever keeps that from being judged. Raises NotFound ``agent.unknown`` and
    Conflict ``agent.alive`` for one that is named and stays.
    """
    believed = scope.actor.oversees and not certain
    found = []
    for reported, verdict in presence.verdicts(scope):
        if reported.session_id == scope.actor.session_id or agent_id not in (None, reported.agent_id):
            continue
        doubtful = verdict.state == "lapsed" or _at_prompt(reported)
        silent = _at_prompt(reported) and scope.now.ms - reported.last_seen_ms >= SILENT_MS
        if verdict.state == "dead":
            found.append(DeadAgent(reported.agent_id, reported.session_id, verdict.how))
        elif believed and verdict.state != "alive" and (doubtful if agent_id is not None else silent):
            how = f"not heard of since {Instant.at(reported.last_seen_ms).iso}, and given up"
            found.append(DeadAgent(reported.agent_id, reported.session_id, how))
    if agent_id is not None and not found:
        raise _stays(scope, agent_id)
    return found


def _at_prompt(reported: Reported) -> bool:
    return reported.pid is None and reported.lease_ms > LONG_LEASE_MS


def _stays(scope: Scope, agent_id: str) -> Conflict | NotFound:
    """Why the agent that was named is not reaped."""
    session = scope.tx.one("agents.session_of", agent_id=agent_id)
    if session is None or session[1] != "active":
        return NotFound(
            "agent.unknown", f"No agent {agent_id!r} is here.", "List them: `agent.list`.", agentId=agent_id
        )
    known = {one.agent_id: verdict.how for one, verdict in presence.verdicts(scope)}
    why = known.get(agent_id, "it reports no process and no lease")
    return Conflict(
        "agent.alive",
        f"{called(agent_id)} is not known to be gone: {why}.",
        "End it where it runs; what it holds is then free by itself.",
        agentId=agent_id,
    )
