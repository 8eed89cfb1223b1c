-- name: row
SELECT p.task_id, d.number, t.title, t.status, t.assigned_agent_id, p.content, p.revision, p.deliverable, p.delivered_by,
  p.delivered_at, p.created_by, p.created_at, p.updated_by, p.updated_at
FROM comity_plans p JOIN macp_ext_tasks t ON t.task_id = p.task_id
LEFT JOIN comity_task_details d ON d.task_id = p.task_id
WHERE p.task_id = :task_id

-- name: insert
INSERT INTO comity_plans (task_id, content, created_by, created_at, updated_by, updated_at)
VALUES (:task_id, :content, :agent_id, :now, :agent_id, :now) ON CONFLICT (task_id) DO NOTHING

-- name: rewrite
UPDATE comity_plans SET content = :content, revision = revision + 1, updated_by = :agent_id, updated_at = :now
WHERE task_id = :task_id

-- name: deliver
UPDATE comity_plans SET deliverable = :deliverable, delivered_by = :agent_id, delivered_at = :now,
  updated_by = :agent_id, updated_at = :now
WHERE task_id = :task_id

-- name: touch
UPDATE comity_plans SET updated_by = :agent_id, updated_at = :now WHERE task_id = :task_id

-- Notes, errors, and those of them that are open.
-- name: counts
SELECT
  (SELECT count(*) FROM comity_plan_entries WHERE task_id = :task_id AND kind = 'note'),
  (SELECT count(*) FROM comity_plan_entries WHERE task_id = :task_id AND kind = 'error'),
  (SELECT count(*) FROM comity_plan_entries WHERE task_id = :task_id AND kind = 'error' AND resolved_at IS NULL)

-- name: add_entry
INSERT INTO comity_plan_entries (task_id, kind, place, agent_id, written_at, content, error_type, context)
VALUES (:task_id, :kind, :place, :agent_id, :now, :content, :error_type, :context)

-- name: notes
SELECT agent_id, written_at, content FROM comity_plan_entries
WHERE task_id = :task_id AND kind = 'note' ORDER BY place DESC LIMIT :limit

-- name: errors
SELECT place, agent_id, written_at, error_type, content, context, resolved_at, resolved_by FROM comity_plan_entries
WHERE task_id = :task_id AND kind = 'error' ORDER BY place

-- name: error
SELECT agent_id, resolved_at FROM comity_plan_entries
WHERE task_id = :task_id AND kind = 'error' AND place = :place

-- name: resolve
UPDATE comity_plan_entries SET resolved_by = :agent_id, resolved_at = :now
WHERE task_id = :task_id AND kind = 'error' AND place = :place AND resolved_at IS NULL

-- name: listed
SELECT p.task_id, d.number, t.title, t.status, t.assigned_agent_id,
  (SELECT count(*) FROM comity_plan_entries e WHERE e.task_id = p.task_id AND e.kind = 'note'),
  (SELECT count(*) FROM comity_plan_entries e
    WHERE e.task_id = p.task_id AND e.kind = 'error' AND e.resolved_at IS NULL),
  p.delivered_at IS NOT NULL, p.updated_at
FROM comity_plans p CROSS JOIN macp_ext_tasks t ON t.task_id = p.task_id
LEFT JOIN comity_task_details d ON d.task_id = p.task_id
WHERE t.archived_at IS NULL AND (NOT :only_open OR t.status NOT IN ('done', 'cancelled'))
ORDER BY p.updated_at DESC LIMIT :limit

-- What an agent holds: what it said that it works on first, then what it has begun, then what is oldest.
-- name: current
SELECT t.task_id, d.number, t.title, t.status, c.task_id IS NOT NULL
FROM macp_ext_tasks t LEFT JOIN comity_task_details d ON d.task_id = t.task_id
LEFT JOIN comity_current_tasks c ON c.agent_id = :agent_id AND c.task_id = t.task_id
WHERE t.assigned_agent_id = :agent_id AND t.status IN ('accepted', 'in-progress', 'blocked') AND t.archived_at IS NULL
ORDER BY c.task_id IS NULL, t.status <> 'in-progress', t.status = 'blocked', t.created_at LIMIT 1

-- name: choose
INSERT INTO comity_current_tasks (agent_id, task_id, chosen_at) VALUES (:agent_id, :task_id, :now)
ON CONFLICT (agent_id) DO UPDATE SET task_id = excluded.task_id, chosen_at = excluded.chosen_at

-- name: forget_choice
DELETE FROM comity_current_tasks WHERE agent_id = :agent_id

-- The other agent's own choice counts more.
-- name: hand_over
UPDATE OR IGNORE comity_current_tasks SET agent_id = :new WHERE agent_id = :old
