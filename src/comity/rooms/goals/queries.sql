-- A goal's row, followed by its live tasks, those of them that are done, and the same with archived tasks in it and
-- cancelled ones left out.
-- name: listed
SELECT goal_id, goal_type, title, description, status, parent_goal_id, owner_agent_id, created_by_agent_id, created_at,
  updated_at
FROM macp_ext_goals
WHERE (:type IS NULL OR goal_type = :type) AND (:status IS NULL OR status = :status)
  AND (:owner_agent_id IS NULL OR owner_agent_id = :owner_agent_id)
ORDER BY created_at, rowid LIMIT :limit

-- name: rows
SELECT goal_id, goal_type, title, description, status, parent_goal_id, owner_agent_id, created_by_agent_id, created_at,
  updated_at
FROM macp_ext_goals WHERE goal_id IN (SELECT value FROM json_each(:goal_ids))
ORDER BY created_at, rowid

-- name: everything
SELECT goal_id, goal_type, title, description, status, parent_goal_id, owner_agent_id, created_by_agent_id, created_at,
  updated_at
FROM macp_ext_goals ORDER BY created_at, rowid LIMIT :limit

-- The goals from some down to the leaves, each once, whatever circles there are.
-- name: below
WITH RECURSIVE tree(goal_id) AS (
  SELECT value FROM json_each(:goal_ids)
  UNION
  SELECT g.goal_id FROM tree JOIN macp_ext_goals g ON g.parent_goal_id = tree.goal_id
)
SELECT g.goal_id, g.goal_type, g.title, g.description, g.status, g.parent_goal_id, g.owner_agent_id,
  g.created_by_agent_id, g.created_at, g.updated_at
FROM tree JOIN macp_ext_goals g ON g.goal_id = tree.goal_id
ORDER BY g.created_at, g.rowid LIMIT :limit

-- The same, only who is whose parent, with counts of tasks: live, live and done, archived, archived and done, all of
-- them and cancelled.
-- name: counts
WITH RECURSIVE tree(goal_id) AS (
  SELECT value FROM json_each(:goal_ids)
  UNION
  SELECT g.goal_id FROM tree JOIN macp_ext_goals g ON g.parent_goal_id = tree.goal_id
)
SELECT g.goal_id, g.parent_goal_id,
  (SELECT count(*) FROM macp_ext_tasks t WHERE t.goal_id = g.goal_id AND t.archived_at IS NULL),
  (SELECT count(*) FROM macp_ext_tasks t WHERE t.goal_id = g.goal_id AND t.archived_at IS NULL AND t.status = 'done'),
  (SELECT count(*) FROM macp_ext_tasks t
    WHERE t.goal_id = g.goal_id AND t.archived_at IS NULL AND t.status = 'cancelled'),
  (SELECT count(*) FROM macp_ext_tasks t
    WHERE t.goal_id = g.goal_id AND t.archived_at IS NOT NULL AND t.status <> 'cancelled'),
  (SELECT count(*) FROM macp_ext_tasks t
    WHERE t.goal_id = g.goal_id AND t.archived_at IS NOT NULL AND t.status = 'done')
FROM tree JOIN macp_ext_goals g ON g.goal_id = tree.goal_id

-- name: ancestors
WITH RECURSIVE up(goal_id, parent_goal_id) AS (
  SELECT goal_id, parent_goal_id FROM macp_ext_goals WHERE goal_id = :goal_id
  UNION
  SELECT g.goal_id, g.parent_goal_id FROM up JOIN macp_ext_goals g ON g.goal_id = up.parent_goal_id
)
SELECT goal_id, parent_goal_id FROM up

-- name: children
SELECT goal_id FROM macp_ext_goals WHERE parent_goal_id = :goal_id

-- name: goal_exists
SELECT 1 FROM macp_ext_goals WHERE goal_id = :goal_id

-- name: agent_exists
SELECT 1 FROM agents WHERE agent_id = :agent_id

-- name: insert_goal
INSERT INTO macp_ext_goals (goal_id, goal_type, title, description, status, parent_goal_id, owner_agent_id,
  created_by_agent_id, created_at, updated_at)
VALUES (:goal_id, :type, :title, :description, 'active', :parent_goal_id, :owner_agent_id, :agent_id, :now, :now)

-- name: update_goal
UPDATE macp_ext_goals SET
  title = coalesce(:title, title), description = coalesce(:description, description),
  status = coalesce(:status, status),
  parent_goal_id = CASE WHEN :move THEN :parent_goal_id ELSE parent_goal_id END,
  updated_at = :now
WHERE goal_id = :goal_id
