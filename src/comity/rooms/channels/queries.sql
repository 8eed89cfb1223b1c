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

-- name: joined
SELECT channel_id FROM channel_members WHERE agent_id = :agent_id

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

-- name: impostor
SELECT 1 FROM agents WHERE agent_id = :speaker

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

-- What passed between two, in both directions; of a channel there is only one.
-- name: pairs
SELECT sender, last_ms, hops, window_ms, sent, recent_json, damped_ms FROM comity_pairs
WHERE sender = :sender AND target = :target
UNION ALL
SELECT sender, last_ms, hops, window_ms, sent, recent_json, damped_ms FROM comity_pairs
WHERE sender = :target AND target = :sender

-- name: note_pair
INSERT INTO comity_pairs (sender, target, last_ms, hops, window_ms, sent, recent_json)
VALUES (:sender, :target, :last_ms, :hops, :window_ms, :sent, :recent)
ON CONFLICT (sender, target) DO UPDATE SET last_ms = excluded.last_ms, hops = excluded.hops,
  window_ms = excluded.window_ms, sent = excluded.sent, recent_json = excluded.recent_json

-- name: damp
INSERT INTO comity_pairs (sender, target, last_ms, damped_ms, damped_why, damped)
VALUES (:sender, :target, 0, :now_ms, :why, 1)
ON CONFLICT (sender, target) DO UPDATE SET
  damped_ms = excluded.damped_ms, damped_why = excluded.damped_why, damped = damped + 1

-- name: same_message
SELECT delivery_id, destination_agent_id FROM messages WHERE message_id = :message_id AND content = :content
ORDER BY rowid

-- name: receipts_of
SELECT m.message_id, m.timestamp, m.channel_id,
  CASE WHEN json_valid(m.from_json) THEN json_extract(m.from_json, '$.agent_id') END,
  CAST(substr(m.content, 1, 80) AS TEXT), m.delivery_id, m.destination_agent_id, a.name, m.state,
  m.deadline < :second,
  EXISTS (SELECT 1 FROM ack_states k WHERE k.delivery_id = m.delivery_id AND k.ack_level = 'processed'),
  i.injection_id, i.whole, i.written_ms, i.seen_ms
FROM (SELECT *, {deadline} AS deadline FROM messages WHERE message_id = :message_id) m
LEFT JOIN agents a ON a.agent_id = m.destination_agent_id
LEFT JOIN comity_injections i ON i.delivery_id = m.delivery_id
ORDER BY m.destination_agent_id

-- The newest messages of a sender, looked for among the newest deliveries of all.
-- name: newest_receipts
WITH own(message_id, place) AS (
  SELECT message_id, max(place) FROM (
    SELECT message_id, from_json, rowid AS place FROM messages ORDER BY rowid DESC LIMIT :scanned)
  WHERE CASE WHEN json_valid(from_json) THEN json_extract(from_json, '$.agent_id') END = :sender
  GROUP BY message_id ORDER BY max(place) DESC LIMIT :limit
)
SELECT m.message_id, m.timestamp, m.channel_id,
  CASE WHEN json_valid(m.from_json) THEN json_extract(m.from_json, '$.agent_id') END,
  CAST(substr(m.content, 1, 80) AS TEXT), m.delivery_id, m.destination_agent_id, a.name, m.state,
  m.deadline < :second,
  EXISTS (SELECT 1 FROM ack_states k WHERE k.delivery_id = m.delivery_id AND k.ack_level = 'processed'),
  i.injection_id, i.whole, i.written_ms, i.seen_ms
FROM own JOIN (SELECT *, {deadline} AS deadline FROM messages) m ON m.message_id = own.message_id
LEFT JOIN agents a ON a.agent_id = m.destination_agent_id
LEFT JOIN comity_injections i ON i.delivery_id = m.delivery_id
ORDER BY own.place DESC, m.destination_agent_id

-- name: agents_named
SELECT s.agent_id FROM sessions s JOIN agents a ON a.agent_id = s.agent_id
WHERE s.state = 'active' AND a.name = :name LIMIT 2

-- Who is here, longest first.
-- name: present
SELECT s.agent_id, a.name FROM sessions s JOIN agents a ON a.agent_id = s.agent_id
WHERE s.state = 'active' ORDER BY s.registered_at, s.agent_id

-- The number of a message among the newest rows of its channel.
-- name: sequence
SELECT min(id) FROM (
  SELECT id, message_id FROM audit_log WHERE event_type = 'message.send' AND channel_id = :channel_id
  ORDER BY id DESC LIMIT :limit)
WHERE message_id = :message_id

-- A message has a row for each recipient; the first one numbers it.
-- name: history_oldest
SELECT e.id, e.message_id, m.from_json, CAST(substr(m.content, 1, 10001) AS TEXT), m.priority, m.timestamp
FROM audit_log e JOIN messages m ON m.delivery_id = e.delivery_id
WHERE e.event_type = 'message.send' AND e.channel_id = :channel_id AND e.id > :since
  AND m.rowid = (SELECT min(rowid) FROM messages WHERE message_id = e.message_id)
ORDER BY e.id LIMIT :limit

-- name: history_newest
SELECT e.id, e.message_id, m.from_json, CAST(substr(m.content, 1, 10001) AS TEXT), m.priority, m.timestamp
FROM audit_log e JOIN messages m ON m.delivery_id = e.delivery_id
WHERE e.event_type = 'message.send' AND e.channel_id = :channel_id AND e.id > :since
  AND m.rowid = (SELECT min(rowid) FROM messages WHERE message_id = e.message_id)
ORDER BY e.id DESC LIMIT :limit

-- name: latest
SELECT e.id FROM audit_log e JOIN messages m ON m.delivery_id = e.delivery_id
WHERE e.event_type = 'message.send' AND e.channel_id = :channel_id
  AND m.rowid = (SELECT min(rowid) FROM messages WHERE message_id = e.message_id)
ORDER BY e.id DESC LIMIT 1

-- name: waiting
SELECT delivery_id, message_id, channel_id, state, priority FROM messages {by_pending}
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced')
ORDER BY priority DESC, sequence_number
LIMIT :limit

-- name: drop_doubles
UPDATE messages SET state = 'dropped'
WHERE destination_agent_id = :old AND state IN ('queued', 'surfaced') AND message_id IN (
  SELECT n.message_id FROM messages n JOIN messages o ON o.message_id = n.message_id
  WHERE n.destination_agent_id = :new AND o.destination_agent_id = :old AND o.state IN ('queued', 'surfaced'))

-- name: waiting_for
SELECT delivery_id FROM messages WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced')
ORDER BY sequence_number

-- name: next_sequence
SELECT CAST(next_sequence AS INTEGER) FROM sequence_counters WHERE destination_key = :agent_id

-- name: hand_over
UPDATE messages SET destination_agent_id = :new, sequence_number = :sequence,
  "to" = CASE WHEN "to" = :old THEN :new ELSE "to" END
WHERE delivery_id = :delivery_id
