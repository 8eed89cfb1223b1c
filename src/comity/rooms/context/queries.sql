-- name: tasks
SELECT task_id, title, description, coalesce(result_text, ''), status, goal_id, profile_slug FROM macp_ext_tasks
WHERE task_id IN (SELECT value FROM json_each(:ids)) AND status = 'done'

-- name: goals
SELECT goal_id, title, description, goal_type, status, parent_goal_id FROM macp_ext_goals
WHERE goal_id IN (SELECT value FROM json_each(:ids))
