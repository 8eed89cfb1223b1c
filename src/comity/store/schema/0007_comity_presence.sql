-- Where each session of Comity runs, and until when it counts as alive if nobody can see its process. Other
-- implementations write no rows here, but may take an agent over: then the session's id is changed along by the
-- foreign key, and registered_at, a copy of the session's, tells that the row is not about the session any more.

CREATE TABLE IF NOT EXISTS comity_presence (
  session_id TEXT PRIMARY KEY REFERENCES sessions(session_id) ON UPDATE CASCADE ON DELETE CASCADE,
  agent_id TEXT NOT NULL REFERENCES agents(agent_id) ON DELETE CASCADE,
  registered_at TEXT NOT NULL,
  pid INTEGER,
  process_started TEXT NOT NULL DEFAULT '',
  boot_id TEXT NOT NULL DEFAULT '',
  pid_namespace TEXT NOT NULL DEFAULT '',
  host_name TEXT NOT NULL DEFAULT '',
  program TEXT NOT NULL DEFAULT '',
  host_session_id TEXT NOT NULL DEFAULT '',
  worktree TEXT NOT NULL DEFAULT '',
  last_seen_ms INTEGER NOT NULL,
  lease_until_ms INTEGER NOT NULL
);

CREATE INDEX IF NOT EXISTS comity_presence_agent ON comity_presence(agent_id);
