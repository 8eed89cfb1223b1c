-- What Comity knows of a task beyond the protocol's row. A row is made by trigger for whoever adds a task, and its
-- revision counts the changes of the task, whoever makes them; a task without a row here has every default.

CREATE TABLE IF NOT EXISTS comity_task_details (
  number INTEGER PRIMARY KEY AUTOINCREMENT,  -- shown as task-001; never given twice
  task_id TEXT NOT NULL UNIQUE REFERENCES macp_ext_tasks(task_id) ON UPDATE CASCADE ON DELETE CASCADE,
  revision INTEGER NOT NULL DEFAULT 1,
  level INTEGER,                             -- 1 (urgent) to 5 (low), where the protocol's P0 to P3 cannot say it
  lease_until TEXT,                          -- the hold ends by itself then; NULL: it does not
  contract_json TEXT,
  worktree_json TEXT,
  handoff_json TEXT
);

CREATE INDEX IF NOT EXISTS comity_task_leases ON comity_task_details(lease_until) WHERE lease_until IS NOT NULL;

CREATE TABLE IF NOT EXISTS comity_task_dependencies (
  task_id TEXT NOT NULL REFERENCES macp_ext_tasks(task_id) ON UPDATE CASCADE ON DELETE CASCADE,
  depends_on TEXT NOT NULL REFERENCES macp_ext_tasks(task_id) ON UPDATE CASCADE ON DELETE CASCADE,
  PRIMARY KEY (task_id, depends_on)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS comity_task_dependents ON comity_task_dependencies(depends_on);

INSERT INTO comity_task_details (task_id)
SELECT task_id FROM macp_ext_tasks
WHERE task_id IS NOT NULL AND task_id NOT IN (SELECT task_id FROM comity_task_details)
ORDER BY created_at, rowid;

CREATE TRIGGER IF NOT EXISTS comity_task_added AFTER INSERT ON macp_ext_tasks BEGIN
  INSERT OR IGNORE INTO comity_task_details (task_id) SELECT NEW.task_id WHERE NEW.task_id IS NOT NULL;
END;

-- A lease ends with the hold it was given for. A new session of the same holder is no change of the task.
CREATE TRIGGER IF NOT EXISTS comity_task_changed
AFTER UPDATE OF title, description, profile_slug, priority, status, goal_id, parent_task_id, dispatcher_agent_id,
  assigned_agent_id, result_text, reason_text, archived_at ON macp_ext_tasks
BEGIN
  UPDATE comity_task_details SET
    revision = revision + 1,
    lease_until = CASE WHEN NEW.assigned_agent_id IS OLD.assigned_agent_id
      AND NEW.status IN ('accepted', 'in-progress', 'blocked') THEN lease_until END
  WHERE task_id = NEW.task_id;
END;

-- One for each way of asking, so that no list reads the tasks that are done.
CREATE INDEX IF NOT EXISTS comity_tasks_live ON macp_ext_tasks(
  (CASE priority WHEN 'P0' THEN 0 WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 ELSE 3 END), created_at DESC)
  WHERE archived_at IS NULL;
CREATE INDEX IF NOT EXISTS comity_tasks_status ON macp_ext_tasks(
  status, (CASE priority WHEN 'P0' THEN 0 WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 ELSE 3 END), created_at DESC)
  WHERE archived_at IS NULL;
CREATE INDEX IF NOT EXISTS comity_tasks_holder ON macp_ext_tasks(
  assigned_agent_id, (CASE priority WHEN 'P0' THEN 0 WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 ELSE 3 END), created_at DESC)
  WHERE archived_at IS NULL AND assigned_agent_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS comity_tasks_profile ON macp_ext_tasks(
  profile_slug, (CASE priority WHEN 'P0' THEN 0 WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 ELSE 3 END), created_at DESC)
  WHERE archived_at IS NULL AND profile_slug IS NOT NULL;
CREATE INDEX IF NOT EXISTS comity_tasks_goal ON macp_ext_tasks(
  goal_id, (CASE priority WHEN 'P0' THEN 0 WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 ELSE 3 END), created_at DESC, status)
  WHERE archived_at IS NULL AND goal_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS comity_tasks_goal_archived ON macp_ext_tasks(goal_id, status)
  WHERE archived_at IS NOT NULL AND goal_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS comity_tasks_parent ON macp_ext_tasks(parent_task_id, created_at)
  WHERE parent_task_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS comity_tasks_session ON macp_ext_tasks(assigned_session_id)
  WHERE assigned_session_id IS NOT NULL;

-- A task as Comity tells it. ``waiting_on`` is a JSON list of what it depends on and is not done.
CREATE VIEW IF NOT EXISTS comity_tasks AS
SELECT t.task_id, t.title, t.description, t.profile_slug, t.priority, t.status, t.goal_id, t.parent_task_id,
  t.dispatcher_agent_id, t.assigned_agent_id, t.result_text, t.reason_text, t.created_at, t.updated_at, t.archived_at,
  d.number, coalesce(d.revision, 1) AS revision,
  CASE t.priority WHEN 'P0' THEN 1 WHEN 'P1' THEN 2 WHEN 'P2' THEN 3 ELSE coalesce(d.level, 4) END AS level,
  (SELECT json_group_array(json_array(p.task_id, e.number, p.status))
    FROM comity_task_dependencies x JOIN macp_ext_tasks p ON p.task_id = x.depends_on
    LEFT JOIN comity_task_details e ON e.task_id = p.task_id
    WHERE x.task_id = t.task_id AND p.status <> 'done') AS waiting_on,
  d.lease_until, d.handoff_json, d.contract_json, d.worktree_json, t.assigned_session_id,
  CASE t.priority WHEN 'P0' THEN 0 WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 ELSE 3 END AS rank
FROM macp_ext_tasks t LEFT JOIN comity_task_details d ON d.task_id = t.task_id;
