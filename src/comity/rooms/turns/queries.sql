-- The agent's active session, unless its lease is to be renewed.
-- name: session
SELECT s.session_id FROM sessions s JOIN comity_presence p ON p.session_id = s.session_id
WHERE s.agent_id = :agent_id AND s.state = 'active' AND p.registered_at = s.registered_at
  AND (:now_ms - p.last_seen_ms) * :share < p.lease_until_ms - p.last_seen_ms

-- Deliveries that must not be injected (again) now: under a lease, or written out.
-- name: injected
SELECT i.delivery_id, i.whole, i.asked_ms, i.written_ms IS NOT NULL FROM comity_injections i
WHERE i.agent_id = :agent_id AND (i.written_ms IS NOT NULL OR i.leased_until_ms > :now_ms)
  AND i.delivery_id IN (SELECT value FROM json_each(:delivery_ids))

-- Whether a turn has anything to write: something is new, or something was injected and is seen now.
-- name: something_to_do
SELECT EXISTS (
  SELECT 1 FROM messages m {by_pending}
  WHERE m.destination_agent_id = :agent_id AND m.state IN ('queued', 'surfaced')
    AND NOT EXISTS (SELECT 1 FROM comity_injections i WHERE i.delivery_id = m.delivery_id
      AND (i.written_ms IS NOT NULL OR i.leased_until_ms > :now_ms))
) OR (:moved AND EXISTS (
  SELECT 1 FROM comity_injections WHERE agent_id = :agent_id AND seen_ms IS NULL AND written_ms IS NOT NULL
))

-- name: lease
INSERT INTO comity_injections (delivery_id, agent_id, injection_id, whole, leased_until_ms)
VALUES (:delivery_id, :agent_id, :injection_id, :whole, :leased_until_ms)
ON CONFLICT (delivery_id) DO UPDATE SET
  agent_id = excluded.agent_id, injection_id = excluded.injection_id, whole = excluded.whole,
  leased_until_ms = excluded.leased_until_ms, written_ms = NULL, seen_ms = NULL

-- name: written
UPDATE comity_injections SET written_ms = :now_ms
WHERE agent_id = :agent_id AND injection_id = :injection_id AND written_ms IS NULL
RETURNING delivery_id

-- name: queued
SELECT delivery_id FROM messages
WHERE state = 'queued' AND delivery_id IN (SELECT value FROM json_each(:delivery_ids))

-- name: seen
UPDATE comity_injections SET seen_ms = :now_ms
WHERE agent_id = :agent_id AND seen_ms IS NULL AND written_ms IS NOT NULL
RETURNING delivery_id, whole

-- name: seen_messages
SELECT delivery_id, message_id, channel_id, ack_json FROM messages
WHERE state IN ('queued', 'surfaced') AND delivery_id IN (SELECT value FROM json_each(:delivery_ids))

-- name: reminded
UPDATE comity_injections SET asked_ms = :now_ms WHERE delivery_id = :delivery_id

-- name: peers
SELECT s.agent_id, a.name, coalesce(p.program, ''), coalesce(p.worktree, '') FROM sessions s
JOIN agents a ON a.agent_id = s.agent_id
LEFT JOIN comity_presence p ON p.session_id = s.session_id AND p.registered_at = s.registered_at
WHERE s.state = 'active' AND s.agent_id <> :agent_id ORDER BY s.registered_at DESC LIMIT :limit

-- name: held
SELECT agent_id, file_path FROM macp_ext_file_claims
WHERE released_at IS NULL AND {claim_expiry} > :second ORDER BY claimed_at DESC LIMIT :limit

-- name: doing
SELECT assigned_agent_id, title FROM macp_ext_tasks
WHERE status = 'in-progress' AND archived_at IS NULL AND assigned_agent_id IS NOT NULL
ORDER BY updated_at DESC LIMIT :limit
