-- Pending deliveries by recipient and deadline: what send counts and poll reads, whatever history the file holds.
-- Deadlines are whole seconds since 1970 (reference section 1.7). SQLite 3.35 features only, since the original's
-- SQLite writes this index too. Text that begins with no digit, such as 'now', has no deadline: SQLite refuses to index
-- what depends on the present time.

CREATE INDEX IF NOT EXISTS comity_messages_pending
  ON messages(destination_agent_id, (CASE WHEN timestamp GLOB '[0-9]*' THEN CAST(strftime('%s', timestamp) AS INTEGER) + ttl_seconds END))
  WHERE state IN ('queued', 'surfaced');

-- Rows in no state that the protocol knows: normally none.
CREATE INDEX IF NOT EXISTS comity_messages_malformed
  ON messages(destination_agent_id)
  WHERE state NOT IN ('queued', 'surfaced', 'acknowledged', 'expired', 'dropped');
