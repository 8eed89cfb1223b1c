"""File claims as the original implementation keeps them (protocol reference, section 4.3): advisory, autocommitted.

Paths are opaque strings; nobody is refused and nobody is told of others.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from tests.original import Original, ProtocolError

ACTIVE = "released_at IS NULL AND datetime(expires_at) > datetime(?)"
COLUMNS = ("claimId", "agentId", "sessionId", "filePath", "claimedAt", "expiresAt", "reason")


def claim_files(agent: Original, files: Sequence[str], ttl: int = 1800, reason: str | None = None) -> dict[str, Any]:
    """``macp_ext_claim_files``."""
    paths = list(dict.fromkeys(path.strip() for path in files if path.strip()))
    if not paths:
        raise ValueError("no files")
    _require_session(agent)
    now = agent.clock.now()
    claim_id = str(uuid.uuid4())
    for path in paths:
        agent.sql(
            "UPDATE macp_ext_file_claims SET released_at = ?, release_reason = 'superseded'"
            f" WHERE agent_id = ? AND file_path = ? AND {ACTIVE}",
            *(now.iso, agent.agent_id, path, now.iso),
        )
        agent.sql(
            "INSERT INTO macp_ext_file_claims (claim_id, file_path, agent_id, session_id, claimed_at, expires_at,"
            " reason) VALUES (?, ?, ?, ?, ?, ?, ?)",
            *(claim_id, path, agent.agent_id, agent.session_id, now.iso, now.at(now.ms + ttl * 1000).iso, reason),
        )
    mine = list_locks(agent, agent.agent_id)
    return {"claimId": claim_id, "claims": [claim for claim in mine if claim["filePath"] in paths]}


def release_files(agent: Original, files: Sequence[str], reason: str = "released") -> list[str]:
    """``macp_ext_release_files``; what changed."""
    _require_session(agent)
    now = agent.now()
    released = []
    for path in dict.fromkeys(path.strip() for path in files):
        changed = agent.sql(
            "UPDATE macp_ext_file_claims SET released_at = ?, release_reason = ? WHERE agent_id = ? AND session_id = ?"
            f" AND file_path = ? AND {ACTIVE} RETURNING 1",
            *(now, reason, agent.agent_id, agent.session_id, path, now),
        )
        released += [path] if changed else []
    return released


def list_locks(
    agent: Original, agent_id: str | None = None, files: Sequence[str] | None = None
) -> list[dict[str, Any]]:
    """``macp_ext_list_locks``."""
    found = agent.sql(
        "SELECT claim_id, agent_id, session_id, file_path, claimed_at, expires_at, reason FROM macp_ext_file_claims"
        f" WHERE {ACTIVE} ORDER BY file_path, claimed_at",
        agent.now(),
    )
    claims = [{k: v for k, v in zip(COLUMNS, row, strict=True) if k != "reason" or v is not None} for row in found]
    wanted = [claim for claim in claims if agent_id in (None, claim["agentId"])]
    return [claim for claim in wanted if not files or claim["filePath"] in files]


def _require_session(agent: Original) -> None:
    active = "SELECT 1 FROM sessions WHERE agent_id = ? AND session_id = ? AND state = 'active'"
    if not agent.sql(active, agent.agent_id, agent.session_id):
        raise ProtocolError("MACP_ERR_SESSION_UNKNOWN", agentId=agent.agent_id, sessionId=agent.session_id)
