-- Attempts to bring branches home. state: 'running' while a process (JSON) is at it, 'landing' while the base
-- moves, then 'landed' (it moved), 'nothing' (it did not), 'interrupted'. branches: JSON list of names. outcome: JSON of what became of each. scratch: the
-- folder of the scratch worktree, from the project's root.
CREATE TABLE IF NOT EXISTS comity_integrations (
  integration_id TEXT PRIMARY KEY,
  base TEXT NOT NULL,
  branches TEXT NOT NULL,
  scratch TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  state TEXT NOT NULL,
  process TEXT NOT NULL,
  outcome TEXT,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER
);
CREATE INDEX IF NOT EXISTS comity_integrations_running ON comity_integrations (started_ms) WHERE ended_ms IS NULL;
