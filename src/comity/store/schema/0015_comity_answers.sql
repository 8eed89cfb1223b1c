-- What was answered to a caller under a key of its own, in no door's words, so that a call which is sent again is not
-- carried out again. request is the SHA-256 of the operation and its arguments. outcome: running (holder has reserved the
-- key, and at_ms is its last sign of life), result (answer is the record as JSON), problem (answer is kind, reason, message,
-- hint and data), secret (no answer is kept). mark is what the first caller's door called the request.
CREATE TABLE IF NOT EXISTS comity_answers (
  caller TEXT NOT NULL,
  key TEXT NOT NULL,
  operation TEXT NOT NULL,
  request TEXT NOT NULL,
  outcome TEXT NOT NULL,
  answer TEXT,
  mark TEXT NOT NULL DEFAULT '',
  holder TEXT NOT NULL DEFAULT '',
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (caller, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comity_answers_age ON comity_answers (at_ms);

-- Keys that were used over HTTP before this: their answers were kept as they had been sent.
INSERT OR IGNORE INTO comity_answers (caller, key, operation, request, outcome, answer, mark, at_ms)
SELECT caller, key, '', request,
  CASE WHEN status IS NULL THEN 'running' WHEN status < 400 AND body = '' THEN 'secret'
    WHEN status < 400 THEN 'result' ELSE 'problem' END,
  CASE WHEN status IS NULL OR body = '' THEN NULL WHEN status < 400 THEN body
    ELSE json_object('kind', json_extract(body, '$.kind'), 'reason', json_extract(body, '$.reason'),
      'message', json_extract(body, '$.title'), 'hint', json_extract(body, '$.hint'),
      'data', json(coalesce(json_extract(body, '$.data'), '{}'))) END,
  CASE WHEN status >= 400 AND body <> '' THEN coalesce(json_extract(body, '$.requestId'), '') ELSE '' END,
  at_ms
FROM comity_idempotency;

-- A pause of the whole workspace: who asked for it, why, since when and until when (NULL: until somebody resumes it).
CREATE TABLE IF NOT EXISTS comity_pause (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  agent_id TEXT NOT NULL,
  agent_name TEXT NOT NULL,
  reason TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  until_ms INTEGER
);
