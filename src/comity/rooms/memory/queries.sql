-- Whether every tag of the JSON list :tags is among a row's own.
-- sqlite: tagged
(:tags = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(:tags) w WHERE w.value NOT IN
  (SELECT h.value FROM json_each(CASE WHEN json_valid(tags_json) THEN tags_json ELSE '[]' END) h)))

-- name: member
SELECT 1 FROM channel_members WHERE channel_id = :channel_id AND agent_id = :agent_id AND session_id = :session_id

-- name: live
SELECT memory_id, scope, memory_key, value_text, owner_agent_id, channel_id, tags_json, confidence, layer,
  author_agent_id, created_at, updated_at
FROM macp_ext_memories
WHERE scope = :scope AND memory_key = :key AND owner_agent_id IS :owner_agent_id AND channel_id IS :channel_id
  AND archived_at IS NULL
ORDER BY updated_at DESC, created_at DESC, rowid DESC

-- name: history
SELECT memory_id, scope, memory_key, value_text, owner_agent_id, channel_id, tags_json, confidence, layer,
  author_agent_id, created_at, updated_at, archived_at, archived_reason
FROM macp_ext_memories
WHERE scope = :scope AND memory_key = :key AND owner_agent_id IS :owner_agent_id AND channel_id IS :channel_id
ORDER BY archived_at IS NULL DESC, updated_at DESC, created_at DESC, rowid DESC LIMIT :limit

-- name: insert
INSERT INTO macp_ext_memories (memory_id, scope, memory_key, value_text, owner_agent_id, channel_id, tags_json,
  confidence, layer, author_agent_id, created_at, updated_at)
VALUES (:memory_id, :scope, :key, :value, :owner_agent_id, :channel_id, :tags, :confidence, :layer, :author_agent_id,
  :created_at, :updated_at)

-- name: refresh
UPDATE macp_ext_memories SET tags_json = :tags, confidence = :confidence, layer = :layer, updated_at = :now
WHERE memory_id = :memory_id

-- name: archive
UPDATE macp_ext_memories SET archived_at = :now, archived_reason = :reason
WHERE scope = :scope AND memory_key = :key AND owner_agent_id IS :owner_agent_id AND channel_id IS :channel_id
  AND archived_at IS NULL

-- name: archive_one
UPDATE macp_ext_memories SET archived_at = :now, archived_reason = :reason
WHERE memory_id = :memory_id

-- name: list
SELECT memory_id, scope, memory_key, value_text, owner_agent_id, channel_id, tags_json, confidence, layer,
  author_agent_id, created_at, updated_at
FROM (
  SELECT * FROM (SELECT *, rowid AS number FROM macp_ext_memories
    WHERE coalesce(:scope, 'agent') = 'agent' AND scope = 'agent' AND archived_at IS NULL
      AND CASE scope WHEN 'agent' THEN owner_agent_id WHEN 'channel' THEN channel_id ELSE '' END = :agent_id
      AND {tagged}
    ORDER BY updated_at DESC, created_at DESC, rowid DESC LIMIT :limit)
  UNION ALL
  SELECT * FROM (SELECT *, rowid AS number FROM macp_ext_memories
    WHERE coalesce(:scope, 'channel') = 'channel' AND scope = 'channel' AND archived_at IS NULL
      AND CASE scope WHEN 'agent' THEN owner_agent_id WHEN 'channel' THEN channel_id ELSE '' END = :channel_id
      AND {tagged}
    ORDER BY updated_at DESC, created_at DESC, rowid DESC LIMIT :limit)
  UNION ALL
  SELECT * FROM (SELECT *, rowid AS number FROM macp_ext_memories
    WHERE coalesce(:scope, 'workspace') = 'workspace' AND scope = 'workspace' AND archived_at IS NULL
      AND CASE scope WHEN 'agent' THEN owner_agent_id WHEN 'channel' THEN channel_id ELSE '' END = ''
      AND {tagged}
    ORDER BY updated_at DESC, created_at DESC, rowid DESC LIMIT :limit)
)
ORDER BY updated_at DESC, created_at DESC, number DESC LIMIT :limit

-- Those of the named rows that are live and visible; parameters of the view as above.
-- name: visible
SELECT memory_id, scope, memory_key, value_text, owner_agent_id, channel_id, tags_json, confidence, layer,
  author_agent_id, created_at, updated_at
FROM json_each(:ids) CROSS JOIN macp_ext_memories ON memory_id = value
WHERE archived_at IS NULL AND coalesce(:scope, scope) = scope
  AND (scope = 'workspace' OR scope = 'agent' AND owner_agent_id = :agent_id
    OR scope = 'channel' AND channel_id = :channel_id)
  AND {tagged}

-- The index.

-- name: index_state
SELECT position, kind, after, (SELECT max(seq) FROM comity_changes), (SELECT min(seq) FROM comity_changes), spaced
FROM comity_search_state WHERE one = 1

-- name: set_index_state
UPDATE comity_search_state SET position = :position, kind = :kind, after = :after, spaced = :spaced WHERE one = 1

-- name: changes
SELECT seq, kind, id FROM comity_changes WHERE seq > :position ORDER BY seq LIMIT :limit

-- name: forget_changes
DELETE FROM comity_changes WHERE seq <= :before

-- name: clear_text_{memory,vault_doc,task,goal}
INSERT INTO comity_{it}_text_fts (comity_{it}_text_fts) VALUES ('delete-all')

-- name: clear_words_{memory,vault_doc,task,goal}
INSERT INTO comity_{it}_words_fts (comity_{it}_words_fts) VALUES ('delete-all')

-- name: clear_docs
DELETE FROM comity_search_docs

-- name: doc_of
SELECT doc FROM comity_search_docs WHERE kind = :kind AND id = :id

-- name: last_doc
SELECT max(doc) FROM comity_search_docs WHERE doc >= :first AND doc <= :last

-- name: remove_doc
DELETE FROM comity_search_docs WHERE doc = :doc

-- name: remove_text_{memory,vault_doc,task,goal}
DELETE FROM comity_{it}_text_fts WHERE rowid = :doc

-- name: remove_words_{memory,vault_doc,task,goal}
DELETE FROM comity_{it}_words_fts WHERE rowid = :doc

-- name: add_doc
INSERT INTO comity_search_docs (doc, kind, id, audience) VALUES (:doc, :kind, :id, :audience)

-- name: add_text_{memory,vault_doc,task,goal}
INSERT INTO comity_{it}_text_fts (rowid, text) VALUES (:doc, :text)

-- name: add_words_{memory,vault_doc,task,goal}
INSERT INTO comity_{it}_words_fts (rowid, title, body) VALUES (:doc, :title, :body)

-- name: ids_of_memory
SELECT memory_id FROM macp_ext_memories WHERE memory_id > :after ORDER BY memory_id LIMIT :limit

-- name: ids_of_vault_doc
SELECT doc_id FROM macp_ext_vault_docs WHERE doc_id > :after ORDER BY doc_id LIMIT :limit

-- name: ids_of_task
SELECT task_id FROM macp_ext_tasks WHERE task_id > :after ORDER BY task_id LIMIT :limit

-- name: ids_of_goal
SELECT goal_id FROM macp_ext_goals WHERE goal_id > :after ORDER BY goal_id LIMIT :limit

-- What is searched of a row: its time, its audience, title, body; nothing when it is not to be found.
-- name: text_of_memory
SELECT updated_at, created_at, scope || char(10) ||
    CASE scope WHEN 'agent' THEN coalesce(owner_agent_id, '') WHEN 'channel' THEN coalesce(channel_id, '') ELSE '' END,
  memory_key, value_text
FROM macp_ext_memories WHERE memory_id = :id AND archived_at IS NULL

-- name: text_of_vault_doc
SELECT updated_at, '', '', doc_path || char(10) || title, content FROM macp_ext_vault_docs WHERE doc_id = :id

-- name: text_of_task
SELECT updated_at, created_at, '', title, description || char(10) || coalesce(result_text, '')
FROM macp_ext_tasks WHERE task_id = :id AND status = 'done'

-- name: text_of_goal
SELECT updated_at, created_at, '', title, description FROM macp_ext_goals WHERE goal_id = :id

-- Matching rows that an audience sees, newest first.
-- name: matching_{memory,vault_doc,task,goal}
SELECT f.rowid, d.id FROM comity_{it}_text_fts f CROSS JOIN comity_search_docs d ON d.doc = f.rowid
WHERE f.comity_{it}_text_fts MATCH :match AND f.rowid < :before
  AND d.audience IN (SELECT value FROM json_each(:audiences))
ORDER BY f.rowid DESC LIMIT :limit

-- The same by pairs of letters of scripts without spaces: pieces that are too short for trigrams.
-- name: paired_{memory,vault_doc,task,goal}
SELECT f.rowid, d.id FROM comity_{it}_words_fts f CROSS JOIN comity_search_docs d ON d.doc = f.rowid
WHERE f.comity_{it}_words_fts MATCH :match AND f.rowid < :before
  AND d.audience IN (SELECT value FROM json_each(:audiences))
ORDER BY f.rowid DESC LIMIT :limit

-- By number, as they lie: by kind every page would sort all rows of it.
-- name: newest
SELECT doc, id FROM comity_search_docs
WHERE doc < :before AND +kind = :kind AND audience IN (SELECT value FROM json_each(:audiences))
ORDER BY doc DESC LIMIT :limit

-- Rows by the sum of the weights of the terms that they hold; :terms is a list of [match, weight].
-- name: weighed_{memory,vault_doc,task,goal}
SELECT w.doc, d.id, w.weight FROM (
  SELECT f.rowid AS doc, sum(json_extract(t.value, '$[1]')) AS weight
  FROM json_each(:terms) t CROSS JOIN comity_{it}_text_fts f
  WHERE f.comity_{it}_text_fts MATCH json_extract(t.value, '$[0]')
  GROUP BY f.rowid
) w CROSS JOIN comity_search_docs d ON d.doc = w.doc
WHERE d.audience IN (SELECT value FROM json_each(:audiences))
ORDER BY w.weight DESC, w.doc DESC LIMIT :limit

-- name: best_{memory,vault_doc,task,goal}
SELECT d.id, -f.rank FROM comity_{it}_words_fts f CROSS JOIN comity_search_docs d ON d.doc = f.rowid
WHERE f.comity_{it}_words_fts MATCH :match AND f.rank MATCH 'bm25(4.0, 1.0)'
  AND d.audience IN (SELECT value FROM json_each(:audiences))
ORDER BY f.rank LIMIT :limit

-- How many rows that an audience sees hold each word; of those looked at, which are few.
-- name: rows_with_{memory,vault_doc,task,goal}
SELECT w.value, (
  SELECT count(*) FROM (
    SELECT rowid AS doc FROM comity_{it}_words_fts WHERE comity_{it}_words_fts MATCH w.value LIMIT :most
  ) m CROSS JOIN comity_search_docs d ON d.doc = m.doc
  WHERE d.audience IN (SELECT value FROM json_each(:audiences)))
FROM json_each(:matches) w

-- name: frequency_{memory,vault_doc,task,goal}
SELECT w.value, (
  SELECT count(*) FROM (
    SELECT 1 FROM comity_{it}_words_fts WHERE comity_{it}_words_fts MATCH w.value LIMIT :most))
FROM json_each(:matches) w

-- name: holding_{memory,vault_doc,task,goal}
SELECT d.id FROM comity_{it}_words_fts f CROSS JOIN comity_search_docs d ON d.doc = f.rowid
WHERE f.comity_{it}_words_fts MATCH :match AND d.audience IN (SELECT value FROM json_each(:audiences))
ORDER BY f.rowid DESC LIMIT :limit
