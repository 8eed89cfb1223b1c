-- Rows of tasks come from the view comity_tasks, in its order (store/schema/0006).

-- Whether the task p may be begun now by the agent :agent_id of the profile :profile.
-- sqlite: free
(p.status = 'pending' AND p.archived_at IS NULL
  AND (p.assigned_agent_id IS NULL OR p.assigned_agent_id = :agent_id)
  AND (p.profile_slug IS NULL OR p.profile_slug = :profile)
  AND NOT EXISTS (SELECT 1 FROM comity_task_dependencies x JOIN macp_ext_tasks f ON f.task_id = x.depends_on
    WHERE x.task_id = p.task_id AND f.status <> 'done'))

-- name: by_id
SELECT * FROM comity_tasks WHERE task_id = :task_id

-- name: by_number
SELECT * FROM comity_tasks WHERE task_id = (SELECT task_id FROM comity_task_details WHERE number = :number)

-- name: my_profile
SELECT profile_slug FROM macp_ext_agent_state WHERE agent_id = :agent_id

-- name: profile_exists
SELECT 1 FROM macp_ext_profiles WHERE slug = :slug

-- name: goal_exists
SELECT 1 FROM macp_ext_goals WHERE goal_id = :goal_id

-- name: agent_name
SELECT name FROM agents WHERE agent_id = :agent_id

-- name: insert_task
INSERT INTO macp_ext_tasks (task_id, title, description, profile_slug, priority, status, goal_id, parent_task_id,
  dispatcher_agent_id, created_at, updated_at)
VALUES (:task_id, :title, :description, :profile_slug, :priority, 'pending', :goal_id, :parent_task_id,
  :agent_id, :now, :now)

-- The one statement that moves a task from one state to another: nothing happens unless it is as it was seen.
-- name: move
UPDATE macp_ext_tasks SET status = :to, assigned_agent_id = :agent_id, assigned_session_id = :session_id,
  result_text = :result, reason_text = :reason, updated_at = :now
WHERE task_id = :task_id AND status = :seen_status AND assigned_agent_id IS :seen_holder
  AND coalesce((SELECT revision FROM comity_task_details WHERE task_id = :task_id), 1) = :seen_revision

-- name: set_level
UPDATE comity_task_details SET level = :level WHERE task_id = :task_id

-- name: set_contract
UPDATE comity_task_details SET contract_json = :contract WHERE task_id = :task_id

-- name: set_worktree
UPDATE comity_task_details SET worktree_json = :worktree WHERE task_id = :task_id

-- name: set_priority
UPDATE macp_ext_tasks SET priority = :priority, updated_at = :now WHERE task_id = :task_id

-- What is not finished and has the same letters in its title; how these are spaced remains to be compared.
-- name: titled
SELECT task_id, title FROM macp_ext_tasks
WHERE lower(replace(replace(replace(replace(title, ' ', ''), char(9), ''), char(10), ''), char(13), ''))
    = lower(replace(replace(replace(replace(:title, ' ', ''), char(9), ''), char(10), ''), char(13), ''))
  AND status IN ('pending', 'accepted', 'in-progress', 'blocked') AND archived_at IS NULL
LIMIT 100

-- name: set_lease
UPDATE comity_task_details SET lease_until = :lease_until WHERE task_id = :task_id

-- name: set_handoff
UPDATE comity_task_details SET handoff_json = :handoff WHERE task_id = :task_id

-- Whoever removed the triggers of this file may have left a task without its own row.
-- name: add_details
INSERT INTO comity_task_details (task_id)
SELECT :task_id WHERE NOT EXISTS (SELECT 1 FROM comity_task_details WHERE task_id = :task_id)

-- Found by state: the index by holder would read everything that the agent ever did.
-- name: held_by
SELECT * FROM comity_tasks
WHERE status IN ('accepted', 'in-progress', 'blocked') AND archived_at IS NULL AND assigned_agent_id || '' = :agent_id
  AND (:session_id IS NULL OR assigned_session_id IS NULL OR assigned_session_id = :session_id)
ORDER BY created_at

-- name: lapsed
SELECT * FROM comity_tasks WHERE task_id IN (
  SELECT task_id FROM comity_task_details WHERE lease_until IS NOT NULL AND lease_until <= :now
  ORDER BY lease_until LIMIT :limit)
AND status || '' IN ('accepted', 'in-progress', 'blocked')

-- name: has_lapsed
SELECT 1 FROM comity_task_details WHERE lease_until IS NOT NULL AND lease_until <= :now LIMIT 1

-- What may be begun, of one level, oldest first, with how long it waits in seconds. What was added at once keeps its
-- order: that of the rows.
-- name: ready
SELECT t.*, :second - CAST(strftime('%s', t.created_at) AS INTEGER)
FROM (
  SELECT p.task_id, p.created_at AS added, p.rowid AS place FROM macp_ext_tasks p INDEXED BY comity_tasks_first
  WHERE {free}
    AND (CASE p.priority WHEN 'P0' THEN 0 WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 ELSE 3 END) = :rank
    AND (:level < 4 OR coalesce((SELECT d.level FROM comity_task_details d WHERE d.task_id = p.task_id), 4) = :level)
  ORDER BY p.created_at, p.rowid LIMIT :limit) first
JOIN comity_tasks t ON t.task_id = first.task_id
ORDER BY first.added, first.place

-- The same of those for which something more urgent waits, however indirectly, by the level that they have from it. A
-- level goes down the dependencies as far as it is more urgent than what is there; each pair is met once, so circles end.
-- name: lifted
WITH RECURSIVE lifted(task_id, level) AS (
  SELECT depends_on, level FROM comity_task_lifts
  UNION
  SELECT x.depends_on, l.level FROM lifted l JOIN comity_task_dependencies x ON x.task_id = l.task_id
  JOIN comity_open_levels o ON o.task_id = x.depends_on WHERE o.level > l.level
)
SELECT t.*, :second - CAST(strftime('%s', t.created_at) AS INTEGER), first.level
FROM (
  SELECT p.task_id, p.created_at AS added, p.rowid AS place, best.level
  FROM (SELECT task_id, min(level) AS level FROM lifted GROUP BY task_id) best
  CROSS JOIN macp_ext_tasks p ON p.task_id = best.task_id
  WHERE {free}
  ORDER BY best.level, p.created_at, p.rowid LIMIT :limit) first
JOIN comity_tasks t ON t.task_id = first.task_id
ORDER BY first.level, first.added, first.place

-- name: stuck
SELECT t.* FROM comity_tasks t
WHERE t.status = 'pending' AND t.archived_at IS NULL
  AND EXISTS (SELECT 1 FROM comity_task_dependencies x JOIN macp_ext_tasks p ON p.task_id = x.depends_on
    WHERE x.task_id = t.task_id AND p.status = 'cancelled')
ORDER BY t.rank, t.created_at LIMIT :limit

-- name: shortage
SELECT count(*),
  coalesce(sum(EXISTS (SELECT 1 FROM comity_task_dependencies x JOIN macp_ext_tasks p ON p.task_id = x.depends_on
    WHERE x.task_id = t.task_id AND p.status <> 'done')), 0),
  coalesce(sum(EXISTS (SELECT 1 FROM comity_task_dependencies x JOIN macp_ext_tasks p ON p.task_id = x.depends_on
    WHERE x.task_id = t.task_id AND p.status = 'cancelled')), 0),
  coalesce(sum(t.profile_slug IS NOT NULL AND (:profile IS NULL OR t.profile_slug <> :profile)), 0),
  coalesce(sum(t.assigned_agent_id IS NOT NULL AND t.assigned_agent_id <> :agent_id), 0)
FROM macp_ext_tasks t WHERE t.status = 'pending' AND t.archived_at IS NULL

-- name: list_by_status
SELECT * FROM comity_tasks WHERE status = :status AND archived_at IS NULL
  AND (:profile_slug IS NULL OR profile_slug = :profile_slug) AND (:priority IS NULL OR priority = :priority)
  AND (:goal_id IS NULL OR goal_id = :goal_id)
  AND (:assigned_agent_id IS NULL OR assigned_agent_id = :assigned_agent_id)
ORDER BY rank, created_at DESC LIMIT :limit

-- name: list_by_holder
SELECT * FROM comity_tasks WHERE assigned_agent_id = :assigned_agent_id AND archived_at IS NULL
  AND (:status IS NULL OR status = :status) AND (:profile_slug IS NULL OR profile_slug = :profile_slug)
  AND (:priority IS NULL OR priority = :priority) AND (:goal_id IS NULL OR goal_id = :goal_id)
ORDER BY rank, created_at DESC LIMIT :limit

-- name: list_by_goal
SELECT * FROM comity_tasks WHERE goal_id = :goal_id AND archived_at IS NULL
  AND (:status IS NULL OR status = :status) AND (:profile_slug IS NULL OR profile_slug = :profile_slug)
  AND (:priority IS NULL OR priority = :priority)
ORDER BY rank, created_at DESC LIMIT :limit

-- name: list_by_profile
SELECT * FROM comity_tasks WHERE profile_slug = :profile_slug AND archived_at IS NULL
  AND (:status IS NULL OR status = :status) AND (:priority IS NULL OR priority = :priority)
ORDER BY rank, created_at DESC LIMIT :limit

-- name: list_by_rank
SELECT * FROM comity_tasks WHERE rank = :rank AND archived_at IS NULL AND priority = :priority
ORDER BY created_at DESC LIMIT :limit

-- name: list_all
SELECT * FROM comity_tasks WHERE archived_at IS NULL ORDER BY rank, created_at DESC LIMIT :limit

-- name: subtasks
SELECT * FROM comity_tasks WHERE parent_task_id = :task_id ORDER BY created_at

-- name: archive
UPDATE macp_ext_tasks SET archived_at = :now, updated_at = :now WHERE rowid IN (
  SELECT rowid FROM macp_ext_tasks WHERE status = :status AND archived_at IS NULL
    AND (:goal_id IS NULL OR goal_id = :goal_id) LIMIT :limit)
RETURNING task_id

-- name: add_dependency
INSERT INTO comity_task_dependencies (task_id, depends_on) VALUES (:task_id, :depends_on)
ON CONFLICT (task_id, depends_on) DO NOTHING

-- name: drop_dependencies
DELETE FROM comity_task_dependencies WHERE task_id = :task_id

-- name: dependencies
SELECT t.task_id, t.number, t.status FROM comity_task_dependencies x JOIN comity_tasks t ON t.task_id = x.depends_on
WHERE x.task_id = :task_id ORDER BY t.created_at, t.number

-- name: dependents
SELECT t.task_id, t.number, t.status FROM comity_task_dependencies x JOIN comity_tasks t ON t.task_id = x.task_id
WHERE x.depends_on = :task_id AND t.status NOT IN ('done', 'cancelled') ORDER BY t.created_at, t.number LIMIT :limit

-- Every dependency between tasks that lead on from one task, each once.
-- name: leads_to
WITH RECURSIVE way(task_id, depends_on) AS (
  SELECT task_id, depends_on FROM comity_task_dependencies WHERE task_id = :task_id
  UNION
  SELECT x.task_id, x.depends_on FROM way JOIN comity_task_dependencies x ON x.task_id = way.depends_on
)
SELECT task_id, depends_on FROM way

-- name: history
SELECT e.id, e.event_type, e.timestamp, e.agent_id, e.metadata_json
FROM comity_event_subjects s JOIN audit_log e ON e.id = s.audit_id
WHERE s.kind = 'task' AND s.id = :task_id AND s.audit_id > :after ORDER BY s.audit_id LIMIT :limit

-- A task whose dependencies changed has changed.
-- name: touch
UPDATE comity_task_details SET revision = revision + 1 WHERE task_id = :task_id

-- name: follow_session
UPDATE macp_ext_tasks SET assigned_session_id = :session_id WHERE assigned_session_id = :old_session_id

-- name: hand_over
UPDATE macp_ext_tasks SET assigned_agent_id = :new, assigned_session_id = :session_id
WHERE assigned_agent_id = :old AND archived_at IS NULL AND status IN ('accepted', 'in-progress', 'blocked')
