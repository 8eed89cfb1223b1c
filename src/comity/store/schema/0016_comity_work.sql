-- Work in progress: files that differ from the last commit, and who changed each last. file_key is the path as it is
-- compared, file_path as it is written. also: a JSON list of others who may have changed it at that time. how: 'edit' by
-- an editing tool, 'command' by a shell command, 'before' for what was there before anybody else came. content: SHA-256 of
-- what was last seen, empty when nobody has read it; stamp: what lstat said of the file then. kind: 'tracked',
-- 'untracked' or 'ignored', as git said when HEAD and the index were those of checked. let_go: released and not committed.
-- told: a JSON list of agents who were told that it was left behind.
CREATE TABLE IF NOT EXISTS comity_work (
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  file_key TEXT NOT NULL,
  file_path TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  also TEXT NOT NULL DEFAULT '[]',
  changed_ms INTEGER NOT NULL,
  how TEXT NOT NULL,
  content TEXT NOT NULL DEFAULT '',
  stamp TEXT NOT NULL DEFAULT '',
  kind TEXT NOT NULL DEFAULT '',
  checked TEXT NOT NULL DEFAULT '',
  let_go INTEGER NOT NULL DEFAULT 0,
  told TEXT NOT NULL DEFAULT '[]',
  PRIMARY KEY (repository, worktree, file_key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comity_work_agent ON comity_work(agent_id);

-- Changes that were asked for and let through, and are not known to be made yet: a user may have to agree first. seen: how
-- the file looked then (a fingerprint). let_go: its agent has released the file since.
CREATE TABLE IF NOT EXISTS comity_asked (
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  file_key TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  file_path TEXT NOT NULL,
  asked_ms INTEGER NOT NULL,
  seen TEXT NOT NULL DEFAULT '',
  how TEXT NOT NULL DEFAULT 'edit',
  let_go INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (repository, worktree, file_key, agent_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comity_asked_agent ON comity_asked(agent_id);

-- Copies that are kept of work in progress, by content; the copies themselves are files beside the database. agent_id:
-- whose work it is; lost_ms: when that content was found to be gone from its file, lost_by by whom, lost_how by which
-- command. mode: the file's permissions.
CREATE TABLE IF NOT EXISTS comity_versions (
  version_id INTEGER PRIMARY KEY,
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  file_key TEXT NOT NULL,
  file_path TEXT NOT NULL,
  content TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  mode INTEGER NOT NULL DEFAULT 420,
  agent_id TEXT NOT NULL,
  kept_ms INTEGER NOT NULL,
  lost_ms INTEGER,
  lost_by TEXT,
  lost_how TEXT NOT NULL DEFAULT '',
  UNIQUE (repository, worktree, file_key, content)
);
CREATE INDEX IF NOT EXISTS comity_versions_kept ON comity_versions(kept_ms);
CREATE INDEX IF NOT EXISTS comity_versions_content ON comity_versions(content);

-- What git did not know in a checkout the last time it was asked (tree: JSON): a look by hand needs no git while nothing in
-- there changes.
CREATE TABLE IF NOT EXISTS comity_trees (
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  tree TEXT NOT NULL,
  PRIMARY KEY (repository, worktree)
) WITHOUT ROWID;

-- 1: the path is a name and never a pattern, as it is where an editing tool names a file.
ALTER TABLE comity_claim_details ADD COLUMN literal INTEGER NOT NULL DEFAULT 0;

-- Since when files may have been changed by the shell command that is looked at: nanoseconds, as file systems tell them.
ALTER TABLE comity_looks ADD COLUMN mark_ns INTEGER NOT NULL DEFAULT 0;
