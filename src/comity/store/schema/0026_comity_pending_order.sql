-- Pending deliveries by recipient and deadline, now with what ranks them: whom a full queue drops is found in the index,
-- where all that is pending was read before. What a planner does with the first two columns stays as it is.

DROP INDEX IF EXISTS comity_messages_pending;
CREATE INDEX comity_messages_pending
  ON messages(destination_agent_id, (CASE WHEN timestamp GLOB '[0-9]*' THEN CAST(strftime('%s', timestamp) AS INTEGER) + ttl_seconds END), priority, sequence_number)
  WHERE state IN ('queued', 'surfaced');
