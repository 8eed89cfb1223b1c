-- Whether every tag of the JSON list :tags is among a document's own, where it may also be in lower case.
-- sqlite: tagged
(:tags = '[]' OR NOT EXISTS (SELECT 1 FROM json_each(:tags) w WHERE NOT EXISTS
  (SELECT 1 FROM json_each(CASE WHEN json_valid(tags_json) THEN tags_json ELSE '[]' END) h
  WHERE h.value IN (w.value, lower(w.value)))))

-- What is known of a root's files, and of their documents; others may have replaced or removed those.
-- name: files
SELECT f.source_path, f.size_bytes, f.mtime_ns, f.content_hash, d.doc_path, d.content_hash
FROM comity_vault_files f LEFT JOIN macp_ext_vault_docs d ON d.source_path = f.source_path
WHERE f.root_path = :root_path

-- name: doc_at_source
SELECT doc_id, doc_path, content_hash FROM macp_ext_vault_docs WHERE source_path = :source_path

-- name: source_at_path
SELECT source_path FROM macp_ext_vault_docs WHERE doc_path = :doc_path

-- name: root_of_file
SELECT root_path FROM comity_vault_files WHERE source_path = :source_path

-- name: insert_doc
INSERT INTO macp_ext_vault_docs (doc_id, doc_path, title, content, tags_json, source_path, source_mtime, content_hash,
  updated_at)
VALUES (:doc_id, :doc_path, :title, :content, :tags, :source_path, :modified_at, :content_hash, :modified_at)

-- name: update_doc
UPDATE macp_ext_vault_docs SET doc_path = :doc_path, title = :title, content = :content, tags_json = :tags,
  source_mtime = :modified_at, content_hash = :content_hash, updated_at = :modified_at
WHERE doc_id = :doc_id

-- name: put_file
INSERT INTO comity_vault_files (source_path, root_path, size_bytes, mtime_ns, content_hash)
VALUES (:source_path, :root_path, :size_bytes, :mtime_ns, :content_hash)
ON CONFLICT (source_path) DO UPDATE SET
  root_path = excluded.root_path,
  size_bytes = excluded.size_bytes,
  mtime_ns = excluded.mtime_ns,
  content_hash = excluded.content_hash

-- A document leaves if nobody has seen its file anew meanwhile.
-- name: remove_file
DELETE FROM comity_vault_files
WHERE source_path = :source_path AND root_path = :root_path AND mtime_ns = :mtime_ns AND content_hash = :content_hash

-- name: remove_doc
DELETE FROM macp_ext_vault_docs WHERE source_path = :source_path

-- name: put_root
INSERT INTO comity_vault_roots (root_path, updated_at, updated_by_agent_id) VALUES (:root_path, :now, :agent_id)
ON CONFLICT (root_path) DO UPDATE SET updated_at = excluded.updated_at,
  updated_by_agent_id = excluded.updated_by_agent_id

-- name: put_registry
INSERT INTO macp_ext_vault_registry (registry_id, root_path, updated_at, updated_by_agent_id)
VALUES ('default', :root_path, :now, :agent_id)
ON CONFLICT (registry_id) DO UPDATE SET root_path = excluded.root_path, updated_at = excluded.updated_at,
  updated_by_agent_id = excluded.updated_by_agent_id

-- name: count
SELECT count(*) FROM comity_vault_files f
WHERE f.root_path = :root_path AND EXISTS (SELECT 1 FROM macp_ext_vault_docs d WHERE d.source_path = f.source_path)

-- name: list
SELECT doc_id, doc_path, title, tags_json, updated_at, source_path FROM macp_ext_vault_docs
WHERE {tagged} ORDER BY doc_path LIMIT :limit

-- name: get
SELECT doc_id, doc_path, title, tags_json, updated_at, source_path, content FROM macp_ext_vault_docs
WHERE doc_path = :doc_path

-- name: these
SELECT doc_id, doc_path, title, tags_json, updated_at, source_path, content
FROM json_each(:ids) CROSS JOIN macp_ext_vault_docs ON doc_id = value
WHERE {tagged}
