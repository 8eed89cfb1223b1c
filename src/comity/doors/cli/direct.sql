-- For agents that open the database with SQLite themselves, without a server: what each operation of MACP v1.0 does,
-- step by step. `comity schema` prints this file as JSON and fills the prompt with its names.
-- A block is one statement; the lines of comment above its SQL say when it is run and what its answer means.

-- name: open.pragmas
-- Once for every connection, before anything else.
PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON

-- name: register.agent
INSERT INTO agents (agent_id, name, created_at, last_registered_at) VALUES (:agent_id, :name, :now, :now)
ON CONFLICT (agent_id) DO UPDATE SET name = excluded.name, last_registered_at = excluded.last_registered_at

-- name: register.old_memberships
DELETE FROM channel_members WHERE agent_id = :agent_id

-- name: register.session
-- Keep the same session_id whenever the agent registers again: its claims and tasks point to it.
INSERT INTO sessions (session_id, agent_id, capabilities_json, interest_tags_json, queue_preferences_json, state,
  registered_at)
VALUES (:session_id, :agent_id, :capabilities_json, :interest_tags_json, :queue_preferences_json, 'active', :now)
ON CONFLICT (agent_id) DO UPDATE SET session_id = excluded.session_id,
  capabilities_json = excluded.capabilities_json, interest_tags_json = excluded.interest_tags_json,
  queue_preferences_json = excluded.queue_preferences_json, state = 'active', registered_at = excluded.registered_at

-- name: register.audit
INSERT INTO audit_log (event_type, agent_id, timestamp) VALUES ('session.register', :agent_id, :now)

-- name: join.session
-- No row: register first.
SELECT 1 FROM sessions WHERE agent_id = :agent_id AND session_id = :session_id AND state = 'active'

-- name: join.channel
INSERT INTO channels (channel_id, created_at) VALUES (:channel_id, :now) ON CONFLICT (channel_id) DO NOTHING

-- name: join.member
INSERT INTO channel_members (channel_id, agent_id, session_id, joined_at)
VALUES (:channel_id, :agent_id, :session_id, :now)
ON CONFLICT (channel_id, agent_id) DO UPDATE SET session_id = excluded.session_id, joined_at = excluded.joined_at

-- name: join.audit
INSERT INTO audit_log (event_type, agent_id, channel_id, timestamp)
VALUES ('channel.join', :agent_id, :channel_id, :now)

-- name: leave.member
DELETE FROM channel_members WHERE channel_id = :channel_id AND agent_id = :agent_id

-- name: leave.audit
INSERT INTO audit_log (event_type, agent_id, channel_id, timestamp)
VALUES ('channel.leave', :agent_id, :channel_id, :now)

-- name: send.sender
-- No row: MACP_ERR_SENDER_NOT_ACTIVE; roll back.
SELECT 1 FROM sessions WHERE agent_id = :agent_id AND session_id = :session_id AND state = 'active'

-- name: send.membership
-- To a channel only. No row: MACP_ERR_SENDER_NOT_MEMBER (or the channel is closed); roll back.
SELECT 1 FROM channel_members m JOIN channels c ON c.channel_id = m.channel_id
WHERE m.channel_id = :channel_id AND m.agent_id = :agent_id AND m.session_id = :session_id AND c.state = 'active'

-- name: send.recipients
-- To a channel only: run the following steps for each.
SELECT m.agent_id FROM channel_members m JOIN sessions s ON s.session_id = m.session_id
WHERE m.channel_id = :channel_id AND m.agent_id <> :agent_id AND s.state = 'active' ORDER BY m.agent_id

-- name: send.limit
-- No row: MACP_ERR_DESTINATION_UNKNOWN; roll back.
SELECT CAST(coalesce(json_extract(queue_preferences_json, '$.max_pending_messages'), 200) AS INTEGER)
FROM sessions WHERE agent_id = :destination_agent_id AND state = 'active'

-- name: send.pending
SELECT count(*) FROM messages
WHERE destination_agent_id = :destination_agent_id AND state IN ('queued', 'surfaced')
  AND CAST(strftime('%s', timestamp) AS INTEGER) + ttl_seconds >= CAST(strftime('%s', :now) AS INTEGER)

-- name: send.eviction_candidate
-- Only when as many are pending as the limit says. No row, or one of higher priority than yours: the queue is full
-- (MACP_ERR_QUEUE_FULL_REJECT_INCOMING), so leave this recipient out.
SELECT delivery_id, message_id, channel_id, priority FROM messages
WHERE destination_agent_id = :destination_agent_id AND state = 'queued'
  AND CAST(strftime('%s', timestamp) AS INTEGER) + ttl_seconds >= CAST(strftime('%s', :now) AS INTEGER)
ORDER BY priority, sequence_number LIMIT 1

-- name: send.evict
UPDATE messages SET state = 'dropped' WHERE delivery_id = :evicted_delivery_id AND state = 'queued'

-- name: send.evict_audit
INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, reason_code, timestamp, metadata_json)
VALUES ('message.drop', :evicted_message_id, :evicted_delivery_id, :destination_agent_id, :evicted_channel_id,
  'MACP_ERR_QUEUE_FULL_DROP_OLDEST', :now, json_object('replaced_by_message_id', :message_id))

-- name: send.sequence
-- The number to use; read all rows before going on.
INSERT INTO sequence_counters (destination_key, next_sequence) VALUES (:destination_agent_id, 2)
ON CONFLICT (destination_key) DO UPDATE SET next_sequence = next_sequence + 1
RETURNING next_sequence - 1

-- name: send.delivery
-- destination_type is 'channel' with the channel in "to" and channel_id, or 'agent' with the agent in "to" and NULL.
INSERT INTO messages (delivery_id, message_id, channel_id, from_json, destination_type, "to", content_type, priority,
  type, content, sequence_number, context_json, ack_json, timestamp, ttl_seconds, state, destination_agent_id)
VALUES (:delivery_id, :message_id, :channel_id, :from_json, :destination_type, :to, :content_type, :priority,
  :type, :content, :sequence_number, :context_json, :ack_json, :now, :ttl_seconds, 'queued', :destination_agent_id)

-- name: send.queued
INSERT INTO ack_states (delivery_id, ack_level, timestamp) VALUES (:delivery_id, 'queued', :now)
ON CONFLICT (delivery_id, ack_level) DO NOTHING

-- name: send.audit
INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, timestamp)
VALUES ('message.send', :message_id, :delivery_id, :destination_agent_id, :channel_id, :now)

-- name: poll.expire
-- Each row returned gets an audit row.
UPDATE messages SET state = 'expired'
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced')
  AND CAST(strftime('%s', timestamp) AS INTEGER) + ttl_seconds < CAST(strftime('%s', :now) AS INTEGER)
RETURNING message_id, delivery_id, channel_id

-- name: poll.expire_audit
INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, reason_code, timestamp)
VALUES ('message.expire', :message_id, :delivery_id, :agent_id, :channel_id, 'MACP_ERR_TTL_EXPIRED', :now)

-- name: poll.pending
SELECT delivery_id, message_id, channel_id, from_json, priority, type, content, sequence_number, context_json,
  timestamp, ttl_seconds, state
FROM messages
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced') AND priority >= :min_priority
  AND CAST(strftime('%s', timestamp) AS INTEGER) + ttl_seconds >= CAST(strftime('%s', :now) AS INTEGER)
ORDER BY priority DESC, sequence_number LIMIT :max_messages

-- name: poll.surface
-- For each delivery that you take into your context.
UPDATE messages SET state = 'surfaced' WHERE delivery_id = :delivery_id AND state = 'queued'

-- name: poll.received
INSERT INTO ack_states (delivery_id, ack_level, timestamp) VALUES (:delivery_id, 'received', :now)
ON CONFLICT (delivery_id, ack_level) DO NOTHING

-- name: ack.state
-- acknowledged: nothing is left to do. expired, dropped: it cannot be acknowledged. No row: wrong id.
SELECT state, message_id, channel_id FROM messages
WHERE delivery_id = :delivery_id AND destination_agent_id = :agent_id

-- name: ack.processed
INSERT INTO ack_states (delivery_id, ack_level, timestamp) VALUES (:delivery_id, 'processed', :now)
ON CONFLICT (delivery_id, ack_level) DO NOTHING

-- name: ack.acknowledge
UPDATE messages SET state = 'acknowledged' WHERE delivery_id = :delivery_id AND state IN ('queued', 'surfaced')

-- name: ack.audit
-- Only when the step before changed a row.
INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, timestamp)
VALUES ('message.ack', :message_id, :delivery_id, :agent_id, :channel_id, :now)

-- name: deregister.session
-- No row changed: another process has taken the agent over; stop here.
UPDATE sessions SET state = 'deregistered'
WHERE session_id = :session_id AND agent_id = :agent_id AND state = 'active'

-- name: deregister.memberships
DELETE FROM channel_members WHERE agent_id = :agent_id AND session_id = :session_id

-- name: deregister.audit
INSERT INTO audit_log (event_type, agent_id, timestamp) VALUES ('session.deregister', :agent_id, :now)
