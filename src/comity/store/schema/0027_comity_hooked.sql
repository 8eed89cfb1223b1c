-- When a hook last told of an agent's turn: what a server alone cannot, without it nobody asks before the agent's edits.
CREATE TABLE IF NOT EXISTS comity_hooked (
  agent_id TEXT PRIMARY KEY,
  heard_ms INTEGER NOT NULL
) WITHOUT ROWID;
