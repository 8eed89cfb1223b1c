-- What was said in a channel, in the order in which it was committed, and who is here: both without reading what is over.

CREATE INDEX IF NOT EXISTS comity_audit_channel ON audit_log(channel_id)
  WHERE event_type = 'message.send' AND channel_id IS NOT NULL;

CREATE INDEX IF NOT EXISTS comity_sessions_active ON sessions(agent_id) WHERE state = 'active';
