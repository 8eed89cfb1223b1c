-- name: any_work
SELECT 1 FROM comity_work LIMIT 1

-- name: identity
SELECT a.name, s.session_id FROM agents a LEFT JOIN sessions s ON s.agent_id = a.agent_id AND s.state = 'active'
WHERE a.agent_id = :agent_id

-- The agent's active session, unless its lease is to be renewed.
-- name: session
SELECT s.session_id FROM sessions s JOIN comity_presence p ON p.session_id = s.session_id
WHERE s.agent_id = :agent_id AND s.state = 'active' AND p.registered_at = s.registered_at
  AND (:now_ms - p.last_seen_ms) * :share < p.lease_until_ms - p.last_seen_ms

-- What is known of deliveries that were injected, leased or polled.
-- name: told
SELECT delivery_id, written_ms IS NULL AND leased_until_ms > :now_ms, written_ms IS NOT NULL, asked_ms, at_stop
FROM comity_injections WHERE delivery_id IN (SELECT value FROM json_each(:delivery_ids))

-- Whether a turn has anything to write: something is new or due, something was injected and is seen now, or the agent
-- was idle.
-- name: something_to_do
SELECT EXISTS (
  SELECT 1 FROM messages m INDEXED BY comity_messages_pending
  LEFT JOIN comity_injections i ON i.delivery_id = m.delivery_id
  WHERE m.destination_agent_id = :agent_id AND m.state IN ('queued', 'surfaced')
    AND (i.delivery_id IS NULL
      OR (i.written_ms IS NULL AND i.asked_ms IS NULL AND i.leased_until_ms <= :now_ms)
      OR i.asked_ms <= :now_ms - :remind_ms)
) OR (:moved AND EXISTS (SELECT 1 FROM comity_injections INDEXED BY comity_injections_unseen
  WHERE agent_id = :agent_id AND seen_ms IS NULL AND written_ms IS NOT NULL))
OR EXISTS (SELECT 1 FROM comity_host_sessions
  WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = '' AND rested_ms IS NOT NULL)
OR NOT EXISTS (SELECT 1 FROM comity_hooked WHERE agent_id = :agent_id AND heard_ms > :now_ms - :hook_ms)

-- The same for an agent that is about to stop: only interrupts, each once.
-- name: something_urgent
SELECT EXISTS (
  SELECT 1 FROM messages m INDEXED BY comity_messages_pending
  LEFT JOIN comity_injections i ON i.delivery_id = m.delivery_id
  WHERE m.destination_agent_id = :agent_id AND m.state IN ('queued', 'surfaced') AND m.priority = 3
    AND (i.delivery_id IS NULL OR (i.written_ms IS NULL AND i.asked_ms IS NULL AND i.leased_until_ms <= :now_ms)
      OR (i.at_stop = 0 AND (i.written_ms IS NOT NULL OR i.leased_until_ms <= :now_ms)))
) OR (:moved AND EXISTS (SELECT 1 FROM comity_injections INDEXED BY comity_injections_unseen
  WHERE agent_id = :agent_id AND seen_ms IS NULL AND written_ms IS NOT NULL))
OR (:rests AND EXISTS (SELECT 1 FROM comity_host_sessions
  WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = ''
    AND (rested_ms IS NULL OR woken_ms IS NOT NULL)))

-- name: lease
INSERT INTO comity_injections (delivery_id, agent_id, injection_id, whole, leased_until_ms, at_stop)
VALUES (:delivery_id, :agent_id, :injection_id, :whole, :leased_until_ms, :at_stop)
ON CONFLICT (delivery_id) DO UPDATE SET
  agent_id = excluded.agent_id, injection_id = excluded.injection_id, whole = excluded.whole,
  leased_until_ms = excluded.leased_until_ms, at_stop = excluded.at_stop, written_ms = NULL, seen_ms = NULL

-- What the agent polled by itself: nothing to inject, but something to remind of.
-- name: polled
INSERT INTO comity_injections (delivery_id, agent_id, injection_id, whole, leased_until_ms, seen_ms, asked_ms)
VALUES (:delivery_id, :agent_id, '', 0, 0, :now_ms, :now_ms)
ON CONFLICT (delivery_id) DO NOTHING

-- name: asked_at_stop
UPDATE comity_injections SET at_stop = 1 WHERE delivery_id IN (SELECT value FROM json_each(:delivery_ids))

-- name: written
UPDATE comity_injections SET written_ms = :now_ms
WHERE agent_id = :agent_id AND injection_id = :injection_id AND written_ms IS NULL
RETURNING delivery_id

-- name: queued
SELECT delivery_id FROM messages
WHERE state = 'queued' AND delivery_id IN (SELECT value FROM json_each(:delivery_ids))

-- name: seen
UPDATE comity_injections INDEXED BY comity_injections_unseen SET seen_ms = :now_ms
WHERE agent_id = :agent_id AND seen_ms IS NULL AND written_ms IS NOT NULL
RETURNING delivery_id, whole

-- The context begins anew: what was written into the old one and not seen is to be given again.
-- name: unsee
UPDATE comity_injections INDEXED BY comity_injections_unseen SET written_ms = NULL, leased_until_ms = 0
WHERE agent_id = :agent_id AND seen_ms IS NULL AND written_ms IS NOT NULL

-- name: seen_messages
SELECT delivery_id, message_id, channel_id, ack_json FROM messages
WHERE state IN ('queued', 'surfaced') AND delivery_id IN (SELECT value FROM json_each(:delivery_ids))

-- name: reminded
UPDATE comity_injections SET asked_ms = :now_ms WHERE delivery_id IN (SELECT value FROM json_each(:delivery_ids))

-- name: names
SELECT s.agent_id, a.name FROM sessions s JOIN agents a ON a.agent_id = s.agent_id
WHERE s.state = 'active' AND s.agent_id <> :agent_id ORDER BY s.registered_at DESC LIMIT :limit

-- name: held
SELECT agent_id, file_path FROM macp_ext_file_claims
WHERE released_at IS NULL AND {claims.expiry} > :second ORDER BY claimed_at DESC LIMIT :limit

-- name: doing
SELECT assigned_agent_id, title FROM macp_ext_tasks
WHERE status = 'in-progress' AND archived_at IS NULL AND assigned_agent_id IS NOT NULL
ORDER BY updated_at DESC LIMIT :limit

-- name: task_without_worktree
SELECT t.task_id, d.number FROM macp_ext_tasks t LEFT JOIN comity_task_details d ON d.task_id = t.task_id
WHERE t.status = 'in-progress' AND t.archived_at IS NULL AND t.assigned_agent_id = :agent_id
  AND d.worktree_json IS NULL ORDER BY t.updated_at DESC LIMIT 1

-- What was said of late in a channel, the newest first, and not by or to the agent.
-- name: said
SELECT m.from_json, CAST(substr(m.content, 1, 400) AS TEXT), CAST(strftime('%s', e.timestamp) AS INTEGER)
FROM audit_log e JOIN messages m ON m.delivery_id = e.delivery_id
WHERE e.event_type = 'message.send' AND e.channel_id = :channel_id AND e.timestamp >= :since
  AND e.id > (SELECT coalesce(max(id), 0) FROM audit_log) - :scanned
  AND m.rowid = (SELECT min(rowid) FROM messages WHERE message_id = e.message_id)
  AND CASE WHEN json_valid(m.from_json) THEN json_extract(m.from_json, '$.agent_id') END <> :agent_id
  AND NOT EXISTS (SELECT 1 FROM messages o WHERE o.message_id = e.message_id AND o.destination_agent_id = :agent_id)
ORDER BY e.id DESC LIMIT :limit

-- name: rest_begins
UPDATE comity_host_sessions SET rested_ms = :now_ms, woken_ms = NULL
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = '' AND ended IS NULL

-- name: rest_ends
UPDATE comity_host_sessions SET rested_ms = NULL, woken_ms = NULL
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = '' AND rested_ms IS NOT NULL

-- name: watch
UPDATE comity_host_sessions SET watcher = :watcher, rested_ms = coalesce(:now_ms, rested_ms),
  woken_ms = CASE WHEN :now_ms IS NULL THEN woken_ms END
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = '' AND ended IS NULL
RETURNING agent_id

-- name: rest
SELECT rested_ms IS NOT NULL, watcher, ended IS NOT NULL, woken_ms,
  (SELECT count(DISTINCT w.woken_ms) FROM comity_wakes w
   WHERE w.host = s.host AND w.host_session_id = s.host_session_id AND w.woken_ms > :since_ms)
FROM comity_host_sessions s
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = ''

-- What waits for an idle agent: nobody fetched it, and it was woken for none of it yet.
-- name: due
SELECT m.delivery_id, m.priority FROM messages m INDEXED BY comity_messages_pending
WHERE m.destination_agent_id = :agent_id AND m.state IN ('queued', 'surfaced') AND m.state = 'queued'
  AND m.priority BETWEEN :least AND 3 AND {channels.deadline} >= :second
  AND NOT EXISTS (SELECT 1 FROM comity_wakes w WHERE w.delivery_id = m.delivery_id)
  AND NOT EXISTS (SELECT 1 FROM comity_injections i WHERE i.delivery_id = m.delivery_id
    AND (i.written_ms IS NOT NULL OR i.asked_ms IS NOT NULL OR i.leased_until_ms > :now_ms))
LIMIT 1000

-- name: woken
UPDATE comity_host_sessions SET woken_ms = :now_ms
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = ''

-- name: remember_wake
INSERT INTO comity_wakes (delivery_id, host, host_session_id, woken_ms)
SELECT value, :host, :host_session_id, :now_ms FROM json_each(:delivery_ids) WHERE true
ON CONFLICT (delivery_id) DO NOTHING

-- name: hand_over
UPDATE comity_injections SET agent_id = :new WHERE delivery_id IN (
  SELECT delivery_id FROM messages WHERE destination_agent_id = :new AND state IN ('queued', 'surfaced'))
