"""A foreign peer's lifecycle: what the original writes when an agent sleeps or leaves (reference 4.2 and 4.5)."""

from __future__ import annotations

from typing import Any

from tests.original import Original, ProtocolError


def sleep(agent: Original, reason: str | None = None) -> None:
    """Only the agent's state."""
    _require_session(agent)
    _state(agent, "sleeping", reason)


def depart(agent: Original, word: str, status: str, reason: str | None = None) -> None:
    """Deactivate (``deactivated``, ``inactive``) or delete (``deleted``, ``deleted``): four statements, no audit."""
    _require_session(agent)
    agent.sql(
        "UPDATE macp_ext_file_claims SET released_at = ?, release_reason = ?"
        " WHERE agent_id = ? AND session_id = ? AND released_at IS NULL",
        *(agent.now(), word, agent.agent_id, agent.session_id),
    )
    agent.sql("DELETE FROM channel_members WHERE agent_id = ?", agent.agent_id)
    agent.sql("UPDATE sessions SET state = 'deregistered' WHERE session_id = ?", agent.session_id)
    _state(agent, status, reason)


def list_agents(agent: Original) -> list[dict[str, Any]]:
    """Ids, states and channels of agents with an active session, by id."""
    found = agent.sql(
        "SELECT s.agent_id, s.session_id, coalesce(x.status, 'active') FROM sessions s"
        " LEFT JOIN macp_ext_agent_state x ON x.agent_id = s.agent_id WHERE s.state = 'active' ORDER BY s.agent_id"
    )
    return [
        {
            "agentId": agent_id,
            "sessionId": session_id,
            "status": status,
            "channels": [
                row[0]
                for row in agent.sql(
                    "SELECT channel_id FROM channel_members WHERE agent_id = ? ORDER BY channel_id", agent_id
                )
            ],
        }
        for agent_id, session_id, status in found
    ]


def _state(agent: Original, status: str, reason: str | None) -> None:
    agent.sql(
        "INSERT INTO macp_ext_agent_state (agent_id, status, profile_slug, reason, changed_at)"
        " VALUES (?, ?, NULL, ?, ?) ON CONFLICT (agent_id) DO UPDATE SET status = excluded.status,"
        " reason = excluded.reason, changed_at = excluded.changed_at",
        *(agent.agent_id, status, reason, agent.now()),
    )


def _require_session(agent: Original) -> None:
    if not agent.sql(
        "SELECT 1 FROM sessions WHERE agent_id = ? AND session_id = ? AND state = 'active'",
        *(agent.agent_id, agent.session_id),
    ):
        raise ProtocolError("MACP_ERR_SESSION_UNKNOWN", agentId=agent.agent_id, sessionId=agent.session_id)
