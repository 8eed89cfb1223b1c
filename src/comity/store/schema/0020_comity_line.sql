-- Places in line: who waits for its turn to hold files or resources, the lowest number first. One place is all that was
-- asked for at once. files: a JSON list of [path, tree], tree as in comity_claim_details and null for a name that is no
-- pattern; resources: a JSON list of their names. folds: whether upper and lower case are the same there. pid, started,
-- boot_id and pid_namespace are of the process that waits, where the place ends with it; pid is NULL where it does not.
CREATE TABLE IF NOT EXISTS comity_line (
  number INTEGER PRIMARY KEY,
  agent_id TEXT NOT NULL REFERENCES agents(agent_id) ON UPDATE CASCADE ON DELETE CASCADE,
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  folds INTEGER NOT NULL,
  files TEXT NOT NULL,
  resources TEXT NOT NULL,
  mode TEXT NOT NULL,
  ttl_seconds INTEGER NOT NULL,
  reason TEXT,
  since_ms INTEGER NOT NULL,
  pid INTEGER,
  started TEXT NOT NULL DEFAULT '',
  boot_id TEXT NOT NULL DEFAULT '',
  pid_namespace TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS comity_line_agent ON comity_line(agent_id);

-- 1: the host's process went on after a hook had ended, so it is no wrapper that ends with each hook.
ALTER TABLE comity_host_sessions ADD COLUMN outlived INTEGER NOT NULL DEFAULT 0;
