-- Jobs: what takes too long for one call. An operation writes the row, a runner carries it out, and everybody reads how
-- it ends. asker: JSON of who asked and where that agent stands. epoch: how often a runner took it; whatever a runner
-- writes is refused once the epoch is another one, or the state is not 'running'. lapses: how often a runner died over it.
-- runner: JSON of the runner's process. seen_ms and lease_until_ms: its last sign of life, and until when it counts.
-- done of total, what: how far it is. told_ms: when an event last told that. result and problem: JSON.
CREATE TABLE IF NOT EXISTS comity_jobs (
  job_id TEXT PRIMARY KEY,
  kind TEXT NOT NULL,
  arguments TEXT NOT NULL,
  state TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  asker TEXT NOT NULL,
  repeatable INTEGER NOT NULL,
  most_s INTEGER NOT NULL,
  epoch INTEGER NOT NULL DEFAULT 0,
  lapses INTEGER NOT NULL DEFAULT 0,
  runner TEXT NOT NULL DEFAULT '{}',
  seen_ms INTEGER NOT NULL DEFAULT 0,
  lease_until_ms INTEGER NOT NULL DEFAULT 0,
  done INTEGER NOT NULL DEFAULT 0,
  total INTEGER NOT NULL DEFAULT 0,
  what TEXT NOT NULL DEFAULT '',
  told_ms INTEGER NOT NULL DEFAULT 0,
  result TEXT,
  problem TEXT,
  requested_ms INTEGER NOT NULL,
  started_ms INTEGER,
  ended_ms INTEGER
);
CREATE INDEX IF NOT EXISTS comity_jobs_open ON comity_jobs (requested_ms) WHERE ended_ms IS NULL;
CREATE INDEX IF NOT EXISTS comity_jobs_ended ON comity_jobs (ended_ms) WHERE ended_ms IS NOT NULL;
