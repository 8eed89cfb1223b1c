-- What was answered to a caller under a key of its own, so that a request which is sent again is not carried out again.
-- request is the SHA-256 of the operation and its arguments; status and body are NULL while the answer is being made.
CREATE TABLE IF NOT EXISTS comity_idempotency (
  caller TEXT NOT NULL,
  key TEXT NOT NULL,
  request TEXT NOT NULL,
  status INTEGER,
  body TEXT,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comity_idempotency_age ON comity_idempotency (at_ms);
