-- Sessions of agent hosts, as their hooks tell of them, and the agent that each one is. A subagent is an agent of its
-- own under a parent. host_pid and host_started are the host's process, by which a server that it started is joined.
CREATE TABLE IF NOT EXISTS comity_host_sessions (
  host TEXT NOT NULL,
  host_session_id TEXT NOT NULL,
  subagent_id TEXT NOT NULL DEFAULT '',
  agent_id TEXT NOT NULL,
  parent_agent_id TEXT,
  boot_id TEXT NOT NULL DEFAULT '',
  host_pid INTEGER,
  host_started TEXT NOT NULL DEFAULT '',
  turn INTEGER NOT NULL DEFAULT 0,
  briefed_ms INTEGER,
  seen_ms INTEGER NOT NULL,
  PRIMARY KEY (host, host_session_id, subagent_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comity_host_sessions_agent ON comity_host_sessions(agent_id);

-- What a hook put into an agent's context. A row is a lease first (leased_until_ms), then written, then seen: the
-- model has answered since. whole: nothing of the content was cut. A message in none of these was never injected.
CREATE TABLE IF NOT EXISTS comity_injections (
  delivery_id TEXT PRIMARY KEY REFERENCES messages(delivery_id) ON UPDATE CASCADE ON DELETE CASCADE,
  agent_id TEXT NOT NULL,
  injection_id TEXT NOT NULL,
  whole INTEGER NOT NULL,
  leased_until_ms INTEGER NOT NULL,
  written_ms INTEGER,
  seen_ms INTEGER,
  asked_ms INTEGER
);
CREATE INDEX IF NOT EXISTS comity_injections_unseen ON comity_injections(agent_id) WHERE seen_ms IS NULL;
