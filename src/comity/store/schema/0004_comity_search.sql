-- What changed in the extension tables, full-text search over them, and the folders of the vault.
-- Other implementations write these tables too, with whatever SQLite they have: triggers use built-ins and ordinary
-- tables only. The FTS5 tables are written by Comity alone, before a search (rooms/memory/index.py).

-- One row a change, whoever made it. The newest 100,000 are kept; an index that lags further behind is made anew.
CREATE TABLE comity_changes (
  seq INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  change TEXT NOT NULL
);

CREATE TRIGGER comity_changes_bound AFTER INSERT ON comity_changes WHEN new.seq % 1000 = 0 BEGIN
  DELETE FROM comity_changes WHERE seq <= new.seq - 100000;
END;

CREATE TRIGGER comity_memories_inserted AFTER INSERT ON macp_ext_memories BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('memory', new.memory_id, 'insert');
END;
CREATE TRIGGER comity_memories_updated AFTER UPDATE ON macp_ext_memories BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('memory', new.memory_id, 'update');
END;
CREATE TRIGGER comity_memories_renamed AFTER UPDATE OF memory_id ON macp_ext_memories
WHEN old.memory_id IS NOT new.memory_id BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('memory', old.memory_id, 'delete');
END;
CREATE TRIGGER comity_memories_deleted AFTER DELETE ON macp_ext_memories BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('memory', old.memory_id, 'delete');
END;

CREATE TRIGGER comity_vault_docs_inserted AFTER INSERT ON macp_ext_vault_docs BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('vault_doc', new.doc_id, 'insert');
END;
CREATE TRIGGER comity_vault_docs_updated AFTER UPDATE ON macp_ext_vault_docs BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('vault_doc', new.doc_id, 'update');
END;
CREATE TRIGGER comity_vault_docs_renamed AFTER UPDATE OF doc_id ON macp_ext_vault_docs
WHEN old.doc_id IS NOT new.doc_id BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('vault_doc', old.doc_id, 'delete');
END;
CREATE TRIGGER comity_vault_docs_deleted AFTER DELETE ON macp_ext_vault_docs BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('vault_doc', old.doc_id, 'delete');
END;

CREATE TRIGGER comity_tasks_inserted AFTER INSERT ON macp_ext_tasks BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('task', new.task_id, 'insert');
END;
CREATE TRIGGER comity_tasks_updated AFTER UPDATE ON macp_ext_tasks BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('task', new.task_id, 'update');
END;
CREATE TRIGGER comity_tasks_renamed AFTER UPDATE OF task_id ON macp_ext_tasks
WHEN old.task_id IS NOT new.task_id BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('task', old.task_id, 'delete');
END;
CREATE TRIGGER comity_tasks_deleted AFTER DELETE ON macp_ext_tasks BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('task', old.task_id, 'delete');
END;

CREATE TRIGGER comity_goals_inserted AFTER INSERT ON macp_ext_goals BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('goal', new.goal_id, 'insert');
END;
CREATE TRIGGER comity_goals_updated AFTER UPDATE ON macp_ext_goals BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('goal', new.goal_id, 'update');
END;
CREATE TRIGGER comity_goals_renamed AFTER UPDATE OF goal_id ON macp_ext_goals
WHEN old.goal_id IS NOT new.goal_id BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('goal', old.goal_id, 'delete');
END;
CREATE TRIGGER comity_goals_deleted AFTER DELETE ON macp_ext_goals BEGIN
  INSERT INTO comity_changes (kind, id, change) VALUES ('goal', old.goal_id, 'delete');
END;

-- What is in the indexes. doc is the row's time in milliseconds, 20 bits to the left, and a number within it: descending
-- numbers are the order of answers, newest first. audience is a number for those who may see the row.
CREATE TABLE comity_search_docs (
  doc INTEGER PRIMARY KEY,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  audience INTEGER NOT NULL,
  UNIQUE (kind, id)
);

-- One row. Changes up to position are in the indexes; kind and after: how far a first filling is, NULL when done.
CREATE TABLE comity_search_state (
  one INTEGER PRIMARY KEY,
  position INTEGER NOT NULL,
  kind TEXT,
  after TEXT NOT NULL
);
INSERT INTO comity_search_state
SELECT 1, 0, CASE WHEN EXISTS (SELECT 1 FROM macp_ext_memories) OR EXISTS (SELECT 1 FROM macp_ext_vault_docs)
  OR EXISTS (SELECT 1 FROM macp_ext_tasks) OR EXISTS (SELECT 1 FROM macp_ext_goals) THEN 'memory' END, '';

-- Per kind: lower-cased text, for substrings; and words, for ranking.
CREATE VIRTUAL TABLE comity_memory_text_fts USING fts5(
  text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE comity_memory_words_fts USING fts5(
  title, body, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE comity_vault_doc_text_fts USING fts5(
  text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE comity_vault_doc_words_fts USING fts5(
  title, body, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE comity_task_text_fts USING fts5(
  text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE comity_task_words_fts USING fts5(
  title, body, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');
CREATE VIRTUAL TABLE comity_goal_text_fts USING fts5(
  text, content='', contentless_delete=1, detail=none, tokenize='trigram case_sensitive 1');
CREATE VIRTUAL TABLE comity_goal_words_fts USING fts5(
  title, body, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2');

CREATE INDEX comity_memories_visible ON macp_ext_memories(
  scope, (CASE scope WHEN 'agent' THEN owner_agent_id WHEN 'channel' THEN channel_id ELSE '' END), updated_at,
  created_at) WHERE archived_at IS NULL;

-- Every folder whose documents are in the vault; the protocol's registry has room for the last one only.
CREATE TABLE comity_vault_roots (
  root_path TEXT PRIMARY KEY,
  updated_at TEXT NOT NULL,
  updated_by_agent_id TEXT NOT NULL
);

-- What was seen of a document's file when it was last read.
CREATE TABLE comity_vault_files (
  source_path TEXT PRIMARY KEY,
  root_path TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  content_hash TEXT NOT NULL
);
CREATE INDEX comity_vault_files_root ON comity_vault_files(root_path);
