-- name: tasks
SELECT task_id, title, description, coalesce(result_text, ''), status, goal_id, profile_slug
FROM json_each(:ids) CROSS JOIN macp_ext_tasks ON task_id = value WHERE status = 'done'

-- name: goals
SELECT goal_id, title, description, goal_type, status, parent_goal_id
FROM json_each(:ids) CROSS JOIN macp_ext_goals ON goal_id = value
