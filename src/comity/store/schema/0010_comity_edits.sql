-- Who was let edit a file last, and when. Whoever may have read it before is told to read it again.
CREATE TABLE IF NOT EXISTS comity_edits (
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  file_path TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  edited_ms INTEGER NOT NULL,
  PRIMARY KEY (repository, worktree, file_path)
) WITHOUT ROWID;

-- How held files looked, the agent's own and its peers', when a shell command of the agent began (files: a JSON object of
-- fingerprints), and when that was compared. Without a closing time the command still runs. from_ms: before the first
-- file was looked at; looked_ms: after the last; lingers_ms: until when the command may have left something running.
CREATE TABLE IF NOT EXISTS comity_looks (
  agent_id TEXT PRIMARY KEY,
  repository TEXT NOT NULL DEFAULT '',
  worktree TEXT NOT NULL DEFAULT '',
  from_ms INTEGER NOT NULL DEFAULT 0,
  looked_ms INTEGER NOT NULL,
  closed_ms INTEGER,
  lingers_ms INTEGER NOT NULL DEFAULT 0,
  files TEXT NOT NULL
) WITHOUT ROWID;

-- What an agent's shell commands changed of what it holds itself: that is no breach by another. Kept for an hour.
CREATE TABLE IF NOT EXISTS comity_own_changes (
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  file_path TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  from_ms INTEGER NOT NULL,
  until_ms INTEGER NOT NULL,
  seen_before TEXT,
  seen_after TEXT,
  PRIMARY KEY (repository, worktree, file_path, agent_id, from_ms)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comity_own_changes_until ON comity_own_changes(until_ms);

-- Who made a stash entry: all worktrees of a repository share one stash.
CREATE TABLE IF NOT EXISTS comity_stashes (
  repository TEXT NOT NULL,
  stashed_ms INTEGER NOT NULL,
  agent_id TEXT NOT NULL,
  PRIMARY KEY (repository, stashed_ms, agent_id)
) WITHOUT ROWID;

-- Who was let sweep a work tree (git stash and the like), until it is known to be over: meanwhile nobody edits there.
CREATE TABLE IF NOT EXISTS comity_sweeps (
  agent_id TEXT PRIMARY KEY,
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  swept_ms INTEGER NOT NULL,
  title TEXT NOT NULL
) WITHOUT ROWID;
