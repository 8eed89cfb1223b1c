-- Who was let edit a file last, and when. Whoever may have read it before is told to read it again.
CREATE TABLE IF NOT EXISTS comity_edits (
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  file_path TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  edited_ms INTEGER NOT NULL,
  PRIMARY KEY (repository, worktree, file_path)
) WITHOUT ROWID;

-- How the files that peers hold looked when an agent's shell command began (files: a JSON object of fingerprints), and
-- when that was compared. Without a closing time the command still runs.
CREATE TABLE IF NOT EXISTS comity_looks (
  agent_id TEXT PRIMARY KEY,
  looked_ms INTEGER NOT NULL,
  closed_ms INTEGER,
  files TEXT NOT NULL
) WITHOUT ROWID;

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
