-- name: all
SELECT w.name, w.clone, w.branch, w.base, w.began, w.task_id, w.agent_id, w.state, w.process, w.made_ms,
  w.brought, d.number, a.name
FROM comity_worktrees w LEFT JOIN comity_task_details d ON d.task_id = w.task_id
LEFT JOIN agents a ON a.agent_id = w.agent_id
ORDER BY w.name

-- name: put
INSERT INTO comity_worktrees (name, clone, branch, base, began, task_id, agent_id, state, process, made_ms)
VALUES (:name, :clone, :branch, :base, :began, :task_id, :agent_id, :state, :process, :now_ms)
ON CONFLICT (name) DO UPDATE SET clone = excluded.clone, branch = excluded.branch, base = excluded.base,
  began = excluded.began, task_id = excluded.task_id, agent_id = excluded.agent_id, state = excluded.state,
  process = excluded.process, made_ms = excluded.made_ms

-- name: bring
UPDATE comity_worktrees SET brought = :brought_json WHERE name = :name

-- name: move
UPDATE comity_worktrees SET state = :state, process = :process WHERE name = :name

-- name: drop
DELETE FROM comity_worktrees WHERE name = :name
