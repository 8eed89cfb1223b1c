-- What is known of a file that differs from the last commit, with the name of whoever changed it last.
-- sqlite: columns
w.repository, w.worktree, w.file_key, w.file_path, w.agent_id, w.also, w.changed_ms, w.how, w.content, w.stamp, w.kind,
w.checked, w.let_go, w.told, coalesce(a.name, w.agent_id)

-- name: of_repository
SELECT {columns} FROM comity_work w LEFT JOIN agents a ON a.agent_id = w.agent_id
WHERE w.repository = :repository ORDER BY w.changed_ms DESC LIMIT :limit

-- Of one checkout, at these keys (a JSON list).
-- name: at
SELECT {columns} FROM json_each(:keys) k CROSS JOIN comity_work w LEFT JOIN agents a ON a.agent_id = w.agent_id
WHERE w.repository = :repository AND w.worktree = :worktree AND w.file_key = k.value

-- name: put
INSERT INTO comity_work (repository, worktree, file_key, file_path, agent_id, also, changed_ms, how, content, stamp)
VALUES (:repository, :worktree, :file_key, :file_path, :agent_id, :also, :changed_ms, :how, :content, :stamp)
ON CONFLICT (repository, worktree, file_key) DO UPDATE SET file_path = excluded.file_path, agent_id = excluded.agent_id,
  also = excluded.also, changed_ms = excluded.changed_ms, how = excluded.how, content = excluded.content,
  stamp = excluded.stamp, kind = '', checked = '', let_go = 0, told = '[]'

-- name: drop
DELETE FROM comity_work WHERE repository = :repository AND worktree = :worktree AND file_key = :file_key

-- Only while the file is the one that was looked at.
-- name: drop_seen
DELETE FROM comity_work WHERE repository = :repository AND worktree = :worktree AND file_key = :file_key
  AND stamp = :was AND agent_id = :agent_id

-- name: checked
UPDATE comity_work SET kind = :kind, checked = :checked, content = CASE WHEN stamp = :stamp THEN content ELSE '' END,
  stamp = :stamp
WHERE repository = :repository AND worktree = :worktree AND file_key = :file_key AND stamp = :was AND agent_id = :agent_id

-- name: seen
UPDATE comity_work SET content = :content, stamp = :stamp
WHERE repository = :repository AND worktree = :worktree AND file_key = :file_key AND stamp = :was AND agent_id = :agent_id

-- name: told
UPDATE comity_work SET told = :told
WHERE repository = :repository AND worktree = :worktree AND file_key = :file_key

-- name: of_agent
SELECT {columns} FROM comity_work w LEFT JOIN agents a ON a.agent_id = w.agent_id
WHERE w.agent_id = :agent_id LIMIT :limit

-- name: let_go
UPDATE comity_work SET let_go = 1
WHERE repository = :repository AND worktree = :worktree AND file_key = :file_key AND agent_id = :agent_id

-- name: ask
INSERT INTO comity_asked (repository, worktree, file_key, agent_id, file_path, asked_ms, seen, how)
VALUES (:repository, :worktree, :file_key, :agent_id, :file_path, :now_ms, :seen, :how)
ON CONFLICT (repository, worktree, file_key, agent_id) DO UPDATE SET asked_ms = excluded.asked_ms,
  file_path = excluded.file_path, seen = excluded.seen, how = excluded.how, let_go = 0

-- Asked for by others than these agents (:agents, a JSON list), at these keys of one checkout.
-- name: asked_at
SELECT q.repository, q.worktree, q.file_key, q.agent_id, q.file_path, q.asked_ms, q.seen, q.how, q.let_go,
  coalesce(a.name, q.agent_id)
FROM json_each(:keys) k CROSS JOIN comity_asked q LEFT JOIN agents a ON a.agent_id = q.agent_id
WHERE q.repository = :repository AND q.worktree = :worktree AND q.file_key = k.value
  AND q.agent_id NOT IN (SELECT value FROM json_each(:agents))

-- name: asked_in
SELECT q.repository, q.worktree, q.file_key, q.agent_id, q.file_path, q.asked_ms, q.seen, q.how, q.let_go,
  coalesce(a.name, q.agent_id)
FROM comity_asked q LEFT JOIN agents a ON a.agent_id = q.agent_id
WHERE q.repository = :repository AND q.agent_id NOT IN (SELECT value FROM json_each(:agents))
ORDER BY q.asked_ms DESC LIMIT :limit

-- name: asked_by
SELECT q.repository, q.worktree, q.file_key, q.agent_id, q.file_path, q.asked_ms, q.seen, q.how, q.let_go,
  coalesce(a.name, q.agent_id)
FROM comity_asked q LEFT JOIN agents a ON a.agent_id = q.agent_id WHERE q.agent_id = :agent_id LIMIT :limit

-- name: answered
DELETE FROM comity_asked WHERE repository = :repository AND worktree = :worktree AND file_key = :file_key
  AND agent_id = :agent_id AND asked_ms = :asked_ms

-- name: let_go_asked
UPDATE comity_asked SET let_go = 1 WHERE repository = :repository AND worktree = :worktree AND file_key = :file_key
  AND agent_id = :agent_id

-- name: hand_over
UPDATE OR REPLACE comity_work SET agent_id = :new WHERE agent_id = :old

-- name: hand_over_asked
UPDATE OR REPLACE comity_asked SET agent_id = :new WHERE agent_id = :old

-- Which of these agents (:agents, a JSON list) have an active session, in which, and since when.
-- name: active
SELECT s.agent_id, s.session_id FROM json_each(:agents) g CROSS JOIN sessions s ON s.agent_id = g.value
WHERE s.state = 'active'

-- Those of these agents (:agents, a JSON list) whose sessions have all ended, as their hosts say.
-- name: ended
SELECT h.agent_id FROM json_each(:agents) g CROSS JOIN comity_host_sessions h ON h.agent_id = g.value
WHERE h.heard_ms IS NOT NULL GROUP BY h.agent_id HAVING total(h.ended IS NULL OR h.ended = 'clear') = 0

-- The hosts of these agents, as far as hooks have told and not said that they ended; when each began to rest.
-- name: hosts
SELECT h.agent_id, h.boot_id, h.host_pid, h.host_started, h.rested_ms
FROM json_each(:agents) g CROSS JOIN comity_host_sessions h ON h.agent_id = g.value
WHERE h.ended IS NULL AND h.heard_ms IS NOT NULL
