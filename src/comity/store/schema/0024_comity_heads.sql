-- Where HEAD of a checkout was when it was last looked at: branch (empty for none) and commit (empty before the first one),
-- at seen_ms. told: what peers were told of its last move, by moved_by at moved_ms; heard: a JSON list of agents that were
-- told of it by a refusal. taken: what the person may be told of a commit that took a peer's work, at taken_ms.
CREATE TABLE IF NOT EXISTS comity_heads (
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  branch TEXT NOT NULL,
  commit_id TEXT NOT NULL,
  seen_ms INTEGER NOT NULL,
  told TEXT NOT NULL DEFAULT '',
  moved_by TEXT NOT NULL DEFAULT '',
  moved_ms INTEGER NOT NULL DEFAULT 0,
  heard TEXT NOT NULL DEFAULT '[]',
  taken TEXT NOT NULL DEFAULT '',
  taken_ms INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (repository, worktree)
) WITHOUT ROWID;
