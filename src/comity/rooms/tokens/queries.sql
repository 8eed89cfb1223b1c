-- name: add
INSERT INTO comity_tokens (token_id, secret_sha256, role, agent_id, label, created_ms, created_by, expires_ms)
VALUES (:token_id, :digest, :role, :agent_id, :label, :now_ms, :created_by, :expires_ms)

-- name: secret
SELECT secret_sha256, role, agent_id, expires_ms, revoked_ms FROM comity_tokens WHERE token_id = :token_id

-- name: get
SELECT token_id, role, agent_id, label, created_ms, created_by, expires_ms, revoked_ms, revoked_by, used_ms
FROM comity_tokens WHERE token_id = :token_id

-- name: list
SELECT token_id, role, agent_id, label, created_ms, created_by, expires_ms, revoked_ms, revoked_by, used_ms
FROM comity_tokens
WHERE (:all OR (revoked_ms IS NULL AND (expires_ms IS NULL OR expires_ms > :now_ms)))
  AND (:agent_id IS NULL OR agent_id = :agent_id)
ORDER BY created_ms DESC, token_id LIMIT :limit

-- name: revoke
UPDATE comity_tokens SET revoked_ms = :now_ms, revoked_by = :revoked_by
WHERE token_id = :token_id AND revoked_ms IS NULL

-- name: touch
UPDATE comity_tokens SET used_ms = :now_ms
WHERE token_id IN (SELECT value FROM json_each(:token_ids)) AND coalesce(used_ms, 0) <= :before_ms
