-- Worktrees that Comity made. name: the folder, relative to the project's root. clone: the folder of the clone that it
-- is a worktree of, relative to the root; empty for the project's own repository. began: the commit at which its branch
-- began; empty where the branch was there already. state: 'making' while git makes it, then 'there', 'removing' while
-- git takes it away. process: JSON of the process that makes or removes it. brought: JSON of the files that were brought along, each with
-- the SHA-256 of its content.
CREATE TABLE IF NOT EXISTS comity_worktrees (
  name TEXT PRIMARY KEY,
  clone TEXT NOT NULL DEFAULT '',
  branch TEXT NOT NULL,
  base TEXT NOT NULL,
  began TEXT NOT NULL DEFAULT '',
  task_id TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  state TEXT NOT NULL,
  process TEXT NOT NULL DEFAULT '{}',
  made_ms INTEGER NOT NULL,
  brought TEXT NOT NULL DEFAULT '{}'
);
CREATE INDEX IF NOT EXISTS comity_worktrees_task ON comity_worktrees (task_id);
