-- name: get
SELECT slug, name, role, context_pack, skills_json, memory_keys_json, vault_paths_json, updated_at
FROM macp_ext_profiles WHERE slug = :slug

-- name: list
SELECT slug, name, role, context_pack, skills_json, memory_keys_json, vault_paths_json, updated_at
FROM macp_ext_profiles ORDER BY slug

-- name: upsert
INSERT INTO macp_ext_profiles (slug, name, role, context_pack, skills_json, memory_keys_json, vault_paths_json,
  author_agent_id, created_at, updated_at)
VALUES (:slug, :name, :role, :context_pack, :skills, :memory_keys, :vault_paths, :author, :now, :now)
ON CONFLICT (slug) DO UPDATE SET
  name = excluded.name,
  role = excluded.role,
  context_pack = excluded.context_pack,
  skills_json = excluded.skills_json,
  memory_keys_json = excluded.memory_keys_json,
  vault_paths_json = excluded.vault_paths_json,
  updated_at = excluded.updated_at
