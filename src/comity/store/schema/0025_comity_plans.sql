-- The plan of a task: what is to be done, and what was delivered. Notes and errors stand in order, each kind counted from
-- 0; an error is open until somebody resolved it. A task's plan goes with the task.

CREATE TABLE IF NOT EXISTS comity_plans (
  task_id TEXT PRIMARY KEY REFERENCES macp_ext_tasks(task_id) ON UPDATE CASCADE ON DELETE CASCADE,
  content TEXT NOT NULL DEFAULT '',
  revision INTEGER NOT NULL DEFAULT 1,       -- counts changes of the content
  deliverable TEXT,
  delivered_by TEXT,
  delivered_at TEXT,
  created_by TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_by TEXT NOT NULL,
  updated_at TEXT NOT NULL                   -- of anything in it
);

CREATE INDEX IF NOT EXISTS comity_plans_updated ON comity_plans(updated_at);

CREATE TABLE IF NOT EXISTS comity_plan_entries (
  task_id TEXT NOT NULL REFERENCES comity_plans(task_id) ON UPDATE CASCADE ON DELETE CASCADE,
  kind TEXT NOT NULL,                        -- note, error
  place INTEGER NOT NULL,
  agent_id TEXT NOT NULL,
  written_at TEXT NOT NULL,
  content TEXT NOT NULL,
  error_type TEXT,
  context TEXT,
  resolved_by TEXT,
  resolved_at TEXT,
  PRIMARY KEY (task_id, kind, place)
) WITHOUT ROWID;

-- The task that an agent said it works on. It counts as long as the agent holds it.
CREATE TABLE IF NOT EXISTS comity_current_tasks (
  agent_id TEXT PRIMARY KEY,
  task_id TEXT NOT NULL REFERENCES macp_ext_tasks(task_id) ON UPDATE CASCADE ON DELETE CASCADE,
  chosen_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS comity_current_tasks_of ON comity_current_tasks(task_id);
