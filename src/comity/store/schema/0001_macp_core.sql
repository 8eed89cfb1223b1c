-- The core tables of MACP v1.0 (reference section 1.2). A wire format: never alter or drop anything here.

CREATE TABLE IF NOT EXISTS agents (
  agent_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  created_at TEXT NOT NULL,
  last_registered_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS sessions (
  session_id TEXT PRIMARY KEY,
  agent_id TEXT NOT NULL UNIQUE REFERENCES agents(agent_id),
  capabilities_json TEXT NOT NULL,
  interest_tags_json TEXT NOT NULL,
  queue_preferences_json TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'active',
  registered_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS channels (
  channel_id TEXT PRIMARY KEY,
  name TEXT NOT NULL DEFAULT '',
  metadata_json TEXT NOT NULL DEFAULT '{}',
  state TEXT NOT NULL DEFAULT 'active',
  created_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS channel_members (
  channel_id TEXT NOT NULL REFERENCES channels(channel_id) ON DELETE CASCADE,
  agent_id TEXT NOT NULL REFERENCES agents(agent_id) ON DELETE CASCADE,
  session_id TEXT NOT NULL REFERENCES sessions(session_id) ON DELETE CASCADE,
  joined_at TEXT NOT NULL,
  PRIMARY KEY (channel_id, agent_id)
);

CREATE TABLE IF NOT EXISTS messages (
  delivery_id TEXT PRIMARY KEY,
  message_id TEXT NOT NULL,
  channel_id TEXT REFERENCES channels(channel_id),
  from_json TEXT NOT NULL,
  destination_type TEXT NOT NULL,
  "to" TEXT NOT NULL,
  content_type TEXT NOT NULL DEFAULT 'text/plain',
  priority INTEGER NOT NULL DEFAULT 0,
  type TEXT NOT NULL DEFAULT 'discovery',
  content TEXT NOT NULL,
  sequence_number INTEGER NOT NULL,
  context_json TEXT NOT NULL,
  ack_json TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  ttl_seconds INTEGER NOT NULL DEFAULT 3600,
  state TEXT NOT NULL DEFAULT 'queued',
  destination_agent_id TEXT NOT NULL REFERENCES agents(agent_id),
  created_at TEXT NOT NULL DEFAULT (datetime('now'))
);

CREATE TABLE IF NOT EXISTS ack_states (
  delivery_id TEXT NOT NULL REFERENCES messages(delivery_id) ON DELETE CASCADE,
  ack_level TEXT NOT NULL,
  timestamp TEXT NOT NULL,
  PRIMARY KEY (delivery_id, ack_level)
);

CREATE TABLE IF NOT EXISTS audit_log (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  event_type TEXT NOT NULL,
  message_id TEXT,
  delivery_id TEXT,
  agent_id TEXT,
  channel_id TEXT,
  reason_code TEXT NOT NULL DEFAULT 'MACP_OK',
  timestamp TEXT NOT NULL,
  metadata_json TEXT NOT NULL DEFAULT '{}'
);

CREATE TABLE IF NOT EXISTS sequence_counters (
  destination_key TEXT PRIMARY KEY,
  next_sequence INTEGER NOT NULL DEFAULT 1
);

CREATE INDEX IF NOT EXISTS idx_messages_message ON messages(message_id);
CREATE INDEX IF NOT EXISTS idx_messages_state ON messages(state);
CREATE INDEX IF NOT EXISTS idx_messages_dest ON messages(destination_agent_id, state);
CREATE INDEX IF NOT EXISTS idx_messages_channel ON messages(channel_id, state);
CREATE INDEX IF NOT EXISTS idx_messages_ttl ON messages(timestamp, ttl_seconds);
CREATE INDEX IF NOT EXISTS idx_ack_states_delivery ON ack_states(delivery_id);
CREATE INDEX IF NOT EXISTS idx_audit_timestamp ON audit_log(timestamp);
CREATE INDEX IF NOT EXISTS idx_sessions_agent ON sessions(agent_id);
