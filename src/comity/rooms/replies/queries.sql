-- name: find
SELECT request, status, body, at_ms FROM comity_idempotency WHERE caller = :caller AND key = :key

-- name: keep
INSERT OR REPLACE INTO comity_idempotency (caller, key, request, status, body, at_ms)
VALUES (:caller, :key, :request, :status, :body, :at_ms)

-- name: free
DELETE FROM comity_idempotency WHERE caller = :caller AND key = :key AND status IS NULL

-- name: forget
DELETE FROM comity_idempotency WHERE (caller, key) IN (
  SELECT caller, key FROM comity_idempotency WHERE at_ms < :before LIMIT :limit
)
