-- What each event in the log is about, so that a thing's history is no scan of the log.

CREATE TABLE IF NOT EXISTS comity_event_subjects (
  audit_id INTEGER NOT NULL REFERENCES audit_log(id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (kind, id, audit_id)
) WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS comity_event_subjects_event ON comity_event_subjects(audit_id);
