-- Whether an event is of one of the types :event_types. In them * stands for any letters, every other sign for itself.
-- sqlite: wanted_type
(:event_types IS NULL OR EXISTS (SELECT 1 FROM json_each(:event_types)
  WHERE e.event_type GLOB replace(replace(value, '[', '[[]'), '?', '[?]')))

-- name: agents
SELECT a.agent_id, a.name, s.session_id, s.registered_at, coalesce(x.status, 'active'), x.profile_slug,
  s.interest_tags_json, s.queue_preferences_json, s.capabilities_json,
  (SELECT count(*) FROM messages INDEXED BY comity_messages_pending
    WHERE destination_agent_id = a.agent_id AND state IN ('queued', 'surfaced') AND {channels.deadline} > :second),
  (SELECT count(*) FROM macp_ext_file_claims c
    WHERE c.agent_id = a.agent_id AND c.released_at IS NULL AND datetime(c.expires_at) > datetime(:now))
FROM sessions s JOIN agents a ON a.agent_id = s.agent_id
LEFT JOIN macp_ext_agent_state x ON x.agent_id = a.agent_id
WHERE s.state = 'active' AND (:agent_id IS NULL OR s.agent_id = :agent_id)
ORDER BY a.agent_id

-- name: memberships
SELECT agent_id, channel_id FROM channel_members ORDER BY agent_id, channel_id

-- name: channels_of
SELECT channel_id FROM channel_members WHERE agent_id = :agent_id ORDER BY channel_id

-- name: events
SELECT e.id, e.event_type, e.timestamp, e.reason_code, e.agent_id, e.channel_id, e.message_id, e.delivery_id,
  e.metadata_json, m.from_json, m.priority, substr(m.content, 1, 200), m.destination_agent_id, m.channel_id
FROM audit_log e LEFT JOIN messages m ON m.delivery_id = e.delivery_id
WHERE e.id > :after
  AND (:agent_id IS NULL OR e.agent_id = :agent_id)
  AND (:channel_id IS NULL OR e.channel_id = :channel_id)
  AND (:min_priority = 0 OR m.priority >= :min_priority)
  AND {wanted_type}
ORDER BY e.id LIMIT :limit

-- name: newest_events
SELECT min(id) FROM (
  SELECT e.id FROM audit_log e LEFT JOIN messages m ON m.delivery_id = e.delivery_id
  WHERE (:agent_id IS NULL OR e.agent_id = :agent_id)
    AND (:channel_id IS NULL OR e.channel_id = :channel_id)
    AND (:min_priority = 0 OR m.priority >= :min_priority)
    AND {wanted_type}
  ORDER BY e.id DESC LIMIT :newest
)

-- name: last_event
SELECT coalesce(max(id), 0) FROM audit_log

-- name: counts
SELECT
  (SELECT count(*) FROM sessions WHERE state = 'active'),
  (SELECT count(*) FROM channels WHERE state = 'active'),
  (SELECT max(rowid) FROM messages),
  (SELECT min(rowid) FROM messages),
  (SELECT max(id) FROM audit_log),
  (SELECT min(id) FROM audit_log),
  (SELECT timestamp FROM audit_log ORDER BY id LIMIT 1)

-- name: pending
SELECT priority, count(*) FROM messages INDEXED BY comity_messages_pending
WHERE state IN ('queued', 'surfaced') AND {channels.deadline} > :second GROUP BY priority

-- name: expire_abandoned
UPDATE messages SET state = 'expired' WHERE delivery_id IN (
  SELECT delivery_id FROM messages INDEXED BY comity_messages_pending
  WHERE state IN ('queued', 'surfaced') AND {channels.deadline} < :second AND NOT {channels.lasts}
    AND destination_agent_id NOT IN (SELECT agent_id FROM sessions WHERE state = 'active')
  LIMIT :limit)
RETURNING delivery_id, message_id, channel_id, destination_agent_id, state, from_json,
  CAST(substr(content, 1, 120) AS TEXT), {channels.read}

-- name: prune_messages
DELETE FROM messages WHERE delivery_id IN (
  SELECT delivery_id FROM messages
  WHERE timestamp < :before AND state IN ('acknowledged', 'expired', 'dropped') LIMIT :limit)

-- name: prune_events
DELETE FROM audit_log WHERE id IN (SELECT id FROM audit_log WHERE timestamp < :before LIMIT :limit)

-- name: prune_claims
DELETE FROM macp_ext_file_claims WHERE rowid IN (
  SELECT rowid FROM macp_ext_file_claims WHERE coalesce(released_at, expires_at) < :before LIMIT :limit)

-- name: prunable
SELECT
  (SELECT count(*) FROM messages
    WHERE state IN ('queued', 'surfaced') AND {channels.deadline} < :second AND NOT {channels.lasts}
    AND destination_agent_id NOT IN (SELECT agent_id FROM sessions WHERE state = 'active')),
  (SELECT count(*) FROM messages
    WHERE timestamp < :before AND state IN ('acknowledged', 'expired', 'dropped')),
  (SELECT count(*) FROM audit_log WHERE timestamp < :before),
  (SELECT count(*) FROM macp_ext_file_claims WHERE coalesce(released_at, expires_at) < :before)

-- name: pending_of
SELECT priority, count(*) FROM messages INDEXED BY comity_messages_pending
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced')
  AND ({channels.deadline} > :second OR {channels.lasts})
GROUP BY priority

-- One character more than a preview can have, so that whoever cuts it knows that there is more.
-- name: first_pending
SELECT delivery_id, message_id, channel_id, from_json, priority, type, CAST(substr(content, 1, 201) AS TEXT), timestamp,
  state
FROM messages INDEXED BY comity_messages_pending
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced')
  AND ({channels.deadline} > :second OR {channels.lasts})
ORDER BY priority DESC, sequence_number LIMIT :limit

-- Counting created_at and not rows keeps the index of live memories in use: the protocol's own holds archived ones, too.
-- name: memory_counts
SELECT
  (SELECT count(created_at) FROM macp_ext_memories WHERE archived_at IS NULL AND scope = 'agent'
    AND (CASE scope WHEN 'agent' THEN owner_agent_id WHEN 'channel' THEN channel_id ELSE '' END) = :agent_id),
  (SELECT count(created_at) FROM macp_ext_memories WHERE archived_at IS NULL AND scope = 'channel' AND :channel_id <> ''
    AND (CASE scope WHEN 'agent' THEN owner_agent_id WHEN 'channel' THEN channel_id ELSE '' END) = :channel_id),
  (SELECT count(created_at) FROM macp_ext_memories WHERE archived_at IS NULL AND scope = 'workspace'
    AND (CASE scope WHEN 'agent' THEN owner_agent_id WHEN 'channel' THEN channel_id ELSE '' END) = '')

-- name: heard_of
SELECT 1 FROM comity_host_sessions WHERE host = :host AND host_session_id = :host_session_id LIMIT 1

-- An active session that only hooks know.
-- name: session_without_process
SELECT s.session_id FROM sessions s JOIN comity_presence p ON p.session_id = s.session_id
WHERE s.agent_id = :agent_id AND s.state = 'active' AND p.registered_at = s.registered_at AND p.pid IS NULL

-- name: hooks_claims
SELECT claim_id, file_path FROM macp_ext_file_claims
WHERE agent_id = :agent_id AND released_at IS NULL AND reason = 'editing'

-- name: damped
SELECT sender, target, damped_why, damped_ms, damped FROM comity_pairs WHERE damped_ms > :since_ms
ORDER BY damped_ms DESC LIMIT 20

-- name: prune_host_sessions
DELETE FROM comity_host_sessions WHERE coalesce(heard_ms, 0) < :before_ms
  AND agent_id NOT IN (SELECT agent_id FROM sessions WHERE state = 'active')

-- name: prune_jobs
DELETE FROM comity_jobs WHERE ended_ms IS NOT NULL AND ended_ms < :before_ms

-- name: prune_pairs
DELETE FROM comity_pairs WHERE last_ms < :before_ms AND coalesce(damped_ms, 0) < :before_ms

-- Who is here, at a glance.
-- name: glance
SELECT s.agent_id, a.name, coalesce(x.status, 'active'), s.registered_at, p.last_seen_ms, p.lease_until_ms
FROM sessions s JOIN agents a ON a.agent_id = s.agent_id
LEFT JOIN macp_ext_agent_state x ON x.agent_id = s.agent_id
LEFT JOIN comity_presence p ON p.session_id = s.session_id AND p.registered_at = s.registered_at
WHERE s.state = 'active' ORDER BY s.agent_id LIMIT :limit

-- What agents hold, and what waits: of each as much as is shown.
-- name: held_tasks
SELECT task_id, number, title, status, level, assigned_agent_id, lease_until FROM comity_tasks
WHERE status IN ('accepted', 'in-progress', 'blocked') AND archived_at IS NULL
ORDER BY rank, created_at DESC LIMIT :limit

-- name: waiting_tasks
SELECT task_id, number, title, status, level, assigned_agent_id, lease_until FROM comity_tasks
WHERE status = 'pending' AND archived_at IS NULL ORDER BY rank, created_at DESC LIMIT :limit

-- name: how_many
SELECT
  (SELECT count(*) FROM sessions WHERE state = 'active'),
  coalesce((SELECT max(rowid) FROM messages) - (SELECT min(rowid) FROM messages) + 1, 0),
  (SELECT count(*) FROM (SELECT 1 FROM macp_ext_tasks WHERE status = 'pending' AND archived_at IS NULL LIMIT :most)),
  (SELECT count(*) FROM (SELECT 1 FROM macp_ext_tasks WHERE status = 'accepted' AND archived_at IS NULL LIMIT :most)),
  (SELECT count(*) FROM (SELECT 1 FROM macp_ext_tasks WHERE status = 'in-progress' AND archived_at IS NULL LIMIT :most)),
  (SELECT count(*) FROM (SELECT 1 FROM macp_ext_tasks WHERE status = 'blocked' AND archived_at IS NULL LIMIT :most)),
  (SELECT count(*) FROM (SELECT 1 FROM macp_ext_tasks WHERE status = 'done' AND archived_at IS NULL LIMIT :most)),
  (SELECT count(*) FROM (SELECT 1 FROM macp_ext_tasks WHERE status = 'cancelled' AND archived_at IS NULL LIMIT :most))

-- name: pause
SELECT agent_id, agent_name, reason, since_ms, until_ms FROM comity_pause WHERE until_ms IS NULL OR until_ms > :now_ms

-- name: begin_pause
INSERT OR REPLACE INTO comity_pause (id, agent_id, agent_name, reason, since_ms, until_ms)
VALUES (1, :agent_id, :agent_name, :reason, :since_ms, :until_ms)

-- name: end_pause
DELETE FROM comity_pause

-- What commits took in of others' uncommitted work, as the room of edits has noted it: a row for each checkout.
-- name: committed_work
SELECT taken FROM comity_heads WHERE taken_ms > :since_ms AND taken <> '' ORDER BY taken_ms DESC LIMIT 3

-- Whether others work in this checkout, and in which worktree a task is worked on.
-- name: beside
SELECT EXISTS (SELECT 1 FROM comity_presence p JOIN sessions s ON s.session_id = p.session_id
    WHERE s.state = 'active' AND s.agent_id <> :agent_id AND p.worktree = :place),
  (SELECT worktree_json FROM comity_task_details WHERE task_id = :task_id)

-- The newest task of an agent that is done and has a worktree.
-- name: finished
SELECT t.task_id, d.number, d.worktree_json FROM comity_task_details d JOIN macp_ext_tasks t ON t.task_id = d.task_id
WHERE d.worktree_json IS NOT NULL AND t.status = 'done' AND t.archived_at IS NULL AND t.assigned_agent_id = :agent_id
ORDER BY t.updated_at DESC LIMIT 1
