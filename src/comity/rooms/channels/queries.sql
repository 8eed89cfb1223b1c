-- name: add_channel
INSERT INTO channels (channel_id, created_at) VALUES (:channel_id, :now) ON CONFLICT (channel_id) DO NOTHING

-- name: add_member
INSERT INTO channel_members (channel_id, agent_id, session_id, joined_at)
VALUES (:channel_id, :agent_id, :session_id, :now)
ON CONFLICT (channel_id, agent_id) DO UPDATE SET session_id = excluded.session_id, joined_at = excluded.joined_at

-- name: peers
SELECT m.agent_id FROM channel_members m JOIN sessions s ON s.session_id = m.session_id
WHERE m.channel_id = :channel_id AND m.agent_id <> :agent_id AND s.state = 'active'
ORDER BY m.agent_id

-- name: remove_member
DELETE FROM channel_members WHERE channel_id = :channel_id AND agent_id = :agent_id

-- name: channel_sender
SELECT
  (SELECT state FROM channels WHERE channel_id = :channel_id),
  (SELECT 1 FROM channel_members WHERE channel_id = :channel_id AND agent_id = :agent_id AND session_id = :session_id)
FROM sessions WHERE session_id = :session_id AND agent_id = :agent_id AND state = 'active'

-- Recipients with the limit of their queue, how many live deliveries are pending in it, and the next sequence number
-- (sections 2.5 and 2.6): one pass, under the write lock.
-- name: channel_recipients
SELECT s.agent_id,
  CASE WHEN json_valid(s.queue_preferences_json)
    THEN CAST(coalesce(json_extract(s.queue_preferences_json, '$.max_pending_messages'), 200) AS INTEGER)
    ELSE 200 END,
  (SELECT count(*) FROM messages {by_pending}
    WHERE destination_agent_id = s.agent_id AND state IN ('queued', 'surfaced') AND {deadline} >= :second),
  coalesce((SELECT CAST(next_sequence AS INTEGER) FROM sequence_counters WHERE destination_key = s.agent_id), 1)
FROM channel_members m JOIN sessions s ON s.session_id = m.session_id
WHERE m.channel_id = :channel_id AND m.agent_id <> :agent_id AND s.state = 'active'
ORDER BY m.agent_id

-- name: direct_recipient
SELECT s.agent_id,
  CASE WHEN json_valid(s.queue_preferences_json)
    THEN CAST(coalesce(json_extract(s.queue_preferences_json, '$.max_pending_messages'), 200) AS INTEGER)
    ELSE 200 END,
  (SELECT count(*) FROM messages {by_pending}
    WHERE destination_agent_id = s.agent_id AND state IN ('queued', 'surfaced') AND {deadline} >= :second),
  coalesce((SELECT CAST(next_sequence AS INTEGER) FROM sequence_counters WHERE destination_key = s.agent_id), 1)
FROM sessions s WHERE s.agent_id = :agent_id AND s.state = 'active'
  AND EXISTS (SELECT 1 FROM sessions WHERE session_id = :session_id AND agent_id = :sender_id AND state = 'active')

-- name: eviction_candidate
SELECT delivery_id, message_id, channel_id, priority FROM messages {by_pending}
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced') AND state = 'queued'
  AND {deadline} >= :second
ORDER BY priority, sequence_number LIMIT 1

-- name: drop
UPDATE messages SET state = 'dropped' WHERE delivery_id = :delivery_id AND state = 'queued'

-- name: set_sequence
INSERT INTO sequence_counters (destination_key, next_sequence) VALUES (:agent_id, :next)
ON CONFLICT (destination_key) DO UPDATE SET next_sequence = excluded.next_sequence

-- name: insert_delivery
INSERT INTO messages (delivery_id, message_id, channel_id, from_json, destination_type, "to", content_type, priority,
  type, content, sequence_number, context_json, ack_json, timestamp, ttl_seconds, state, destination_agent_id)
VALUES (:delivery_id, :message_id, :channel_id, :sender, :destination_type, :to, :content_type, :priority,
  :type, :content, :sequence, :context, :ack, :now, :ttl_seconds, 'queued', :agent_id)

-- name: insert_ack
INSERT INTO ack_states (delivery_id, ack_level, timestamp) VALUES (:delivery_id, :level, :now)
ON CONFLICT (delivery_id, ack_level) DO NOTHING

-- name: something_waits
SELECT EXISTS (
  SELECT 1 FROM messages {by_pending}
  WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced')
    AND (priority >= :min_priority OR priority NOT IN (0, 1, 2, 3) OR {deadline} IS NULL OR {deadline} < :second)
) OR EXISTS (
  SELECT 1 FROM messages {by_malformed}
  WHERE destination_agent_id = :agent_id
    AND state NOT IN ('queued', 'surfaced', 'acknowledged', 'expired', 'dropped')
)
FROM sessions WHERE session_id = :session_id AND agent_id = :agent_id AND state = 'active'

-- name: unknown_states
SELECT delivery_id, message_id, channel_id, state FROM messages {by_malformed}
WHERE destination_agent_id = :agent_id
  AND state NOT IN ('queued', 'surfaced', 'acknowledged', 'expired', 'dropped')
LIMIT 100

-- name: expire
UPDATE messages {by_pending} SET state = 'expired'
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced') AND {deadline} < :second
RETURNING delivery_id, message_id, channel_id

-- Short contents come along; the others are read once it is known which of them fit.
-- name: pending
SELECT delivery_id, message_id, channel_id, from_json, destination_type, "to", content_type, priority, type,
  sequence_number, context_json, ack_json, timestamp, ttl_seconds, state, {deadline},
  CASE WHEN octet_length(content) <= 2000 THEN content END
FROM messages {by_pending}
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced')
  AND (priority >= :min_priority OR priority NOT IN (0, 1, 2, 3))
ORDER BY priority DESC, sequence_number
LIMIT :limit

-- name: receiver
SELECT interest_tags_json, capabilities_json FROM sessions
WHERE session_id = :session_id AND agent_id = :agent_id AND state = 'active'

-- name: contents
SELECT delivery_id, content FROM messages WHERE delivery_id IN (SELECT value FROM json_each(:delivery_ids))

-- name: excerpt
SELECT substr(content, 1, :characters) FROM messages WHERE delivery_id = :delivery_id

-- name: surface
UPDATE messages SET state = 'surfaced' WHERE delivery_id = :delivery_id AND state = 'queued'

-- name: set_aside
UPDATE messages SET state = 'dropped' WHERE delivery_id IS :delivery_id AND destination_agent_id = :agent_id

-- name: delivery
SELECT state, message_id, channel_id FROM messages
WHERE delivery_id = :delivery_id AND destination_agent_id = :agent_id
  AND EXISTS (SELECT 1 FROM sessions WHERE session_id = :session_id AND agent_id = :agent_id AND state = 'active')

-- name: piece
SELECT substr(content, :offset + 1, :length), length(content), length(CAST(content AS BLOB)), state FROM messages
WHERE delivery_id = :delivery_id AND destination_agent_id = :agent_id

-- name: acknowledge
UPDATE messages SET state = 'acknowledged' WHERE delivery_id = :delivery_id AND state IN ('queued', 'surfaced')
