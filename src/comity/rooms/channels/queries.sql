-- Pending messages are read by an index of ours: the planner would rather take the protocol's on (recipient, state),
-- which reads expired rows too.

-- Whole seconds since 1970 at which a delivery's time to live ends; NULL when the row's timestamp is malformed.
-- sqlite: deadline
(CASE WHEN timestamp GLOB '[0-9]*' THEN CAST(strftime('%s', timestamp) AS INTEGER) + ttl_seconds END)

-- Whether an overdue delivery waits on all the same: it is urgent, nobody has read it, its sender set no time, and it
-- was sent less than :mail_s seconds ago. What was put into a context that never answered is unread.
-- sqlite: lasts
(CASE WHEN priority IN (2, 3) AND json_valid(context_json)
  AND CAST(strftime('%s', timestamp) AS INTEGER) + :mail_s >= :second
  THEN (json_extract(context_json, '$.waited') IS NOT NULL
      OR (ttl_seconds = 3600 AND json_extract(context_json, '$.ttl_given') IS NULL))
    AND (state = 'queued' OR EXISTS (SELECT 1 FROM comity_injections i
      WHERE i.delivery_id = messages.delivery_id AND i.seen_ms IS NULL))
  ELSE 0 END)

-- Whether a poll handed a delivery out, or a model saw it.
-- sqlite: read
(EXISTS (SELECT 1 FROM ack_states k WHERE k.delivery_id = messages.delivery_id AND k.ack_level = 'received')
  AND NOT EXISTS (SELECT 1 FROM comity_injections i WHERE i.delivery_id = messages.delivery_id AND i.seen_ms IS NULL))

-- Whether a recipient's session may see nothing for a while: it is idle, nothing shows that it lives, or it sleeps.
-- sqlite: quiet
(EXISTS (SELECT 1 FROM comity_host_sessions h
    WHERE h.agent_id = s.agent_id AND h.rested_ms IS NOT NULL AND h.ended IS NULL)
  OR EXISTS (SELECT 1 FROM comity_presence p
    WHERE p.session_id = s.session_id AND p.lease_until_ms <= :now_ms AND p.registered_at = s.registered_at)
  OR EXISTS (SELECT 1 FROM macp_ext_agent_state x WHERE x.agent_id = s.agent_id AND x.status = 'sleeping'))

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
  (SELECT count(*) FROM messages INDEXED BY comity_messages_pending
    WHERE destination_agent_id = s.agent_id AND state IN ('queued', 'surfaced') AND {deadline} >= :second),
  coalesce((SELECT CAST(next_sequence AS INTEGER) FROM sequence_counters WHERE destination_key = s.agent_id), 1),
  {quiet}
FROM channel_members m JOIN sessions s ON s.session_id = m.session_id
WHERE m.channel_id = :channel_id AND m.agent_id <> :agent_id AND s.state = 'active'
ORDER BY m.agent_id

-- Without a sender whoever asks for it is let in.
-- name: direct_recipient
SELECT s.agent_id,
  CASE WHEN json_valid(s.queue_preferences_json)
    THEN CAST(coalesce(json_extract(s.queue_preferences_json, '$.max_pending_messages'), 200) AS INTEGER)
    ELSE 200 END,
  (SELECT count(*) FROM messages INDEXED BY comity_messages_pending
    WHERE destination_agent_id = s.agent_id AND state IN ('queued', 'surfaced') AND {deadline} >= :second),
  coalesce((SELECT CAST(next_sequence AS INTEGER) FROM sequence_counters WHERE destination_key = s.agent_id), 1),
  {quiet}
FROM sessions s WHERE s.agent_id = :agent_id AND s.state = 'active'
  AND (:sender_id IS NULL
    OR EXISTS (SELECT 1 FROM sessions WHERE session_id = :session_id AND agent_id = :sender_id AND state = 'active'))

-- What is known of quiet recipients: since when it is idle and who waits to wake it; whether hooks tell it; when it was
-- last heard of; since when it sleeps.
-- name: attendance
SELECT s.agent_id,
  (SELECT max(h.rested_ms) FROM comity_host_sessions h WHERE h.agent_id = s.agent_id AND h.ended IS NULL),
  EXISTS (SELECT 1 FROM comity_host_sessions h
    WHERE h.agent_id = s.agent_id AND h.ended IS NULL AND h.rested_ms IS NOT NULL AND h.watcher <> ''),
  EXISTS (SELECT 1 FROM comity_host_sessions h WHERE h.agent_id = s.agent_id AND h.heard_ms IS NOT NULL),
  (SELECT p.last_seen_ms FROM comity_presence p
    WHERE p.session_id = s.session_id AND p.registered_at = s.registered_at AND p.lease_until_ms <= :now_ms),
  (SELECT x.changed_at FROM macp_ext_agent_state x WHERE x.agent_id = s.agent_id AND x.status = 'sleeping')
FROM json_each(:agent_ids) CROSS JOIN sessions s ON s.agent_id = value AND s.state = 'active'

-- name: impostor
SELECT 1 FROM agents WHERE agent_id = :speaker

-- The first in rank of what is pending is found in the index alone. Where it was polled already, all are read.
-- name: eviction_candidate
SELECT delivery_id, message_id, channel_id, priority FROM messages WHERE rowid = coalesce(
  (SELECT rowid FROM messages WHERE state = 'queued' AND rowid = (
    SELECT rowid FROM messages INDEXED BY comity_messages_pending
    WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced') AND {deadline} >= :second
    ORDER BY priority, sequence_number LIMIT 1)),
  (SELECT rowid FROM messages INDEXED BY comity_messages_pending
    WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced') AND state = 'queued'
      AND {deadline} >= :second
    ORDER BY priority, sequence_number LIMIT 1))

-- name: drop
UPDATE messages SET state = 'dropped' WHERE delivery_id = :delivery_id AND state = 'queued'

-- name: set_sequence
INSERT INTO sequence_counters (destination_key, next_sequence) VALUES (:agent_id, :next)
ON CONFLICT (destination_key) DO UPDATE SET next_sequence = excluded.next_sequence

-- name: insert_delivery_{queued,acknowledged}
INSERT INTO messages (delivery_id, message_id, channel_id, from_json, destination_type, "to", content_type, priority,
  type, content, sequence_number, context_json, ack_json, timestamp, ttl_seconds, state, destination_agent_id)
VALUES (:delivery_id, :message_id, :channel_id, :sender, :destination_type, :to, :content_type, :priority,
  :type, :content, :sequence, :context, :ack, :now, :ttl_seconds, '{it}', :agent_id)

-- name: insert_ack
INSERT INTO ack_states (delivery_id, ack_level, timestamp) VALUES (:delivery_id, :level, :now)
ON CONFLICT (delivery_id, ack_level) DO NOTHING

-- name: something_waits
SELECT EXISTS (
  SELECT 1 FROM messages INDEXED BY comity_messages_pending
  WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced')
    AND (priority >= :min_priority OR priority NOT IN (0, 1, 2, 3) OR {deadline} IS NULL OR {deadline} < :second)
) OR EXISTS (
  SELECT 1 FROM messages INDEXED BY comity_messages_malformed
  WHERE destination_agent_id = :agent_id
    AND state NOT IN ('queued', 'surfaced', 'acknowledged', 'expired', 'dropped')
)
FROM sessions WHERE session_id = :session_id AND agent_id = :agent_id AND state = 'active'

-- name: unknown_states
SELECT delivery_id, message_id, channel_id, state FROM messages INDEXED BY comity_messages_malformed
WHERE destination_agent_id = :agent_id
  AND state NOT IN ('queued', 'surfaced', 'acknowledged', 'expired', 'dropped')
LIMIT 100

-- name: something_overdue
SELECT 1 FROM messages INDEXED BY comity_messages_pending
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced') AND {deadline} < :second LIMIT 1

-- What is overdue expires, or waits on.
-- name: expire
UPDATE messages INDEXED BY comity_messages_pending SET
  state = CASE WHEN {lasts} THEN state ELSE 'expired' END,
  ttl_seconds = CASE WHEN {lasts} THEN :second - CAST(strftime('%s', timestamp) AS INTEGER) + 3600
    ELSE ttl_seconds END,
  context_json = CASE WHEN {lasts} THEN json_set(context_json, '$.waited', 1) ELSE context_json END
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced') AND {deadline} < :second
RETURNING delivery_id, message_id, channel_id, destination_agent_id, state, from_json,
  CAST(substr(content, 1, 120) AS TEXT), {read}

-- Of everybody's overdue deliveries those that no living agent has fetched, a few at a time.
-- name: expire_unread
UPDATE messages SET state = 'expired' WHERE delivery_id IN (
  SELECT delivery_id FROM messages INDEXED BY comity_messages_pending
  WHERE state IN ('queued', 'surfaced') AND {deadline} < :second AND NOT {lasts}
    AND (state = 'queued' OR NOT EXISTS (SELECT 1 FROM sessions s
      WHERE s.agent_id = messages.destination_agent_id AND s.state = 'active'))
  LIMIT :limit)
RETURNING delivery_id, message_id, channel_id, destination_agent_id, state, from_json,
  CAST(substr(content, 1, 120) AS TEXT), {read}

-- Urgent deliveries that nobody has read wait on for an hour from now, within :mail_s seconds since they were sent.
-- name: renew
UPDATE messages SET
  ttl_seconds = min(:second - CAST(strftime('%s', timestamp) AS INTEGER) + 3600, :mail_s),
  context_json = json_set(context_json, '$.waited', 1)
WHERE delivery_id IN (
  SELECT delivery_id FROM messages INDEXED BY comity_messages_pending
  WHERE state IN ('queued', 'surfaced') AND {deadline} < :soon AND ttl_seconds < :mail_s AND {lasts}
  LIMIT :limit)

-- name: something_lapses
SELECT EXISTS (
  SELECT 1 FROM messages INDEXED BY comity_messages_pending
  WHERE state IN ('queued', 'surfaced') AND {deadline} < :soon
    AND CASE WHEN {lasts} THEN ttl_seconds < :mail_s
      ELSE {deadline} < :second AND (state = 'queued' OR NOT EXISTS (SELECT 1 FROM sessions s
        WHERE s.agent_id = messages.destination_agent_id AND s.state = 'active')) END)

-- Short contents come along; the others are read once it is known which of them fit.
-- name: pending
SELECT delivery_id, message_id, channel_id, from_json, destination_type, "to", content_type, priority, type,
  sequence_number, context_json, ack_json, timestamp, ttl_seconds, state, {deadline},
  CASE WHEN octet_length(content) <= 2000 THEN content END
FROM messages INDEXED BY comity_messages_pending
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
  m.overdue,
  EXISTS (SELECT 1 FROM ack_states k WHERE k.delivery_id = m.delivery_id AND k.ack_level = 'processed'),
  i.injection_id, i.whole, i.written_ms, i.seen_ms
FROM (SELECT *, {deadline} < :second AND NOT {lasts} AS overdue FROM messages WHERE message_id = :message_id) m
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
  m.overdue,
  EXISTS (SELECT 1 FROM ack_states k WHERE k.delivery_id = m.delivery_id AND k.ack_level = 'processed'),
  i.injection_id, i.whole, i.written_ms, i.seen_ms
FROM own JOIN (SELECT *, {deadline} < :second AND NOT {lasts} AS overdue FROM messages) m ON m.message_id = own.message_id
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
SELECT delivery_id, message_id, channel_id, state, priority FROM messages INDEXED BY comity_messages_pending
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

-- Messages that no implementation can read as the protocol has them.
-- name: malformed_messages
SELECT count(*) FROM messages
WHERE state NOT IN ('queued', 'surfaced', 'acknowledged', 'expired', 'dropped')
  OR (state IN ('queued', 'surfaced') AND (priority NOT IN (0, 1, 2, 3) OR strftime('%s', timestamp) IS NULL
    OR NOT json_valid(from_json) OR NOT json_valid(context_json) OR NOT json_valid(ack_json)))
