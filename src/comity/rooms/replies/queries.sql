-- name: find
SELECT request, outcome, answer, mark, holder, at_ms FROM comity_answers WHERE caller = :caller AND key = :key

-- name: keep
INSERT OR REPLACE INTO comity_answers (caller, key, operation, request, outcome, answer, mark, holder, at_ms)
VALUES (:caller, :key, :operation, :request, :outcome, :answer, :mark, :holder, :at_ms)

-- name: extend
UPDATE comity_answers SET at_ms = :at_ms
WHERE caller = :caller AND key = :key AND holder = :holder AND outcome = 'running'

-- name: free
DELETE FROM comity_answers WHERE caller = :caller AND key = :key AND outcome = 'running'

-- name: forget
DELETE FROM comity_answers WHERE (caller, key) IN (
  SELECT caller, key FROM comity_answers WHERE at_ms < :before LIMIT :limit
)

-- What a body wrote before it refused is taken back, and the refusal is kept in the same transaction.
-- name: begin_body
SAVEPOINT body

-- name: undo_body
ROLLBACK TO body
