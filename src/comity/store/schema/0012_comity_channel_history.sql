-- What was said in a channel, in the order in which it was committed; who is here; which task was added first, of those
-- that wait: each without reading what is over.

CREATE INDEX IF NOT EXISTS comity_audit_channel ON audit_log(channel_id)
  WHERE event_type = 'message.send' AND channel_id IS NOT NULL;

CREATE INDEX IF NOT EXISTS comity_sessions_active ON sessions(agent_id) WHERE state = 'active';

CREATE INDEX IF NOT EXISTS comity_tasks_first ON macp_ext_tasks(
  (CASE priority WHEN 'P0' THEN 0 WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 ELSE 3 END), created_at)
  WHERE status = 'pending' AND archived_at IS NULL;
