-- sqlite: columns
v.version_id, v.repository, v.worktree, v.file_key, v.file_path, v.content, v.size_bytes, v.mode, v.agent_id, v.kept_ms,
v.lost_ms, v.lost_by, v.lost_how, coalesce(a.name, v.agent_id)

-- name: keep
INSERT INTO comity_versions (repository, worktree, file_key, file_path, content, size_bytes, mode, agent_id, kept_ms)
VALUES (:repository, :worktree, :file_key, :file_path, :content, :size_bytes, :mode, :agent_id, :now_ms)
ON CONFLICT (repository, worktree, file_key, content) DO UPDATE SET agent_id = excluded.agent_id,
  kept_ms = excluded.kept_ms, mode = excluded.mode, lost_ms = NULL, lost_by = NULL, lost_how = ''

-- name: lost
UPDATE comity_versions SET lost_ms = :now_ms, lost_by = :lost_by, lost_how = :lost_how
WHERE repository = :repository AND worktree = :worktree AND file_key = :file_key AND content = :content

-- name: given_back
UPDATE comity_versions SET lost_ms = NULL, lost_by = NULL, lost_how = '' WHERE version_id = :version_id

-- name: of_file
SELECT {columns} FROM comity_versions v LEFT JOIN agents a ON a.agent_id = v.agent_id
WHERE v.repository = :repository AND v.worktree = :worktree AND v.file_key = :file_key
ORDER BY v.kept_ms DESC, v.version_id DESC LIMIT :limit

-- The newest of each file, those that were lost first.
-- name: newest
SELECT {columns} FROM comity_versions v LEFT JOIN agents a ON a.agent_id = v.agent_id
WHERE v.repository = :repository AND v.version_id IN (
  SELECT n.version_id FROM comity_versions n WHERE n.repository = :repository
  GROUP BY n.worktree, n.file_key HAVING n.kept_ms = max(n.kept_ms))
ORDER BY v.lost_ms IS NULL, coalesce(v.lost_ms, v.kept_ms) DESC, v.version_id DESC LIMIT :limit

-- How many versions each file has.
-- name: counts
SELECT worktree, file_key, count(*) FROM comity_versions WHERE repository = :repository GROUP BY worktree, file_key

-- name: newest_id
SELECT max(version_id) FROM comity_versions

-- name: oldest
SELECT version_id, content, size_bytes FROM comity_versions ORDER BY kept_ms, version_id LIMIT :limit

-- name: total_bytes
SELECT coalesce(total(size_bytes), 0) FROM (SELECT size_bytes FROM comity_versions GROUP BY content)

-- name: forget_old
DELETE FROM comity_versions WHERE kept_ms < :before_ms

-- name: forget
DELETE FROM comity_versions WHERE version_id IN (SELECT value FROM json_each(:versions))

-- name: forget_all
DELETE FROM comity_versions

-- name: contents
SELECT DISTINCT content FROM comity_versions
