-- The extension tables of MACP (reference section 1.3), in the original's shapes, so that a file that Comity made
-- first is complete for every reader. Never alter or drop anything here.

CREATE TABLE IF NOT EXISTS macp_ext_agent_state (
  agent_id TEXT PRIMARY KEY REFERENCES agents(agent_id) ON DELETE CASCADE,
  status TEXT NOT NULL DEFAULT 'active',
  profile_slug TEXT,
  reason TEXT,
  changed_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS macp_ext_file_claims (
  claim_id TEXT NOT NULL,
  file_path TEXT NOT NULL,
  agent_id TEXT NOT NULL REFERENCES agents(agent_id) ON DELETE CASCADE,
  session_id TEXT NOT NULL REFERENCES sessions(session_id) ON DELETE CASCADE,
  claimed_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  reason TEXT,
  released_at TEXT,
  release_reason TEXT,
  PRIMARY KEY (claim_id, file_path)
);

CREATE TABLE IF NOT EXISTS macp_ext_memories (
  memory_id TEXT PRIMARY KEY,
  scope TEXT NOT NULL,
  memory_key TEXT NOT NULL,
  value_text TEXT NOT NULL,
  owner_agent_id TEXT REFERENCES agents(agent_id) ON DELETE CASCADE,
  channel_id TEXT REFERENCES channels(channel_id) ON DELETE CASCADE,
  tags_json TEXT NOT NULL DEFAULT '[]',
  confidence TEXT NOT NULL DEFAULT 'stated',
  layer TEXT NOT NULL DEFAULT 'context',
  author_agent_id TEXT NOT NULL REFERENCES agents(agent_id) ON DELETE CASCADE,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  archived_at TEXT,
  archived_reason TEXT
);

CREATE TABLE IF NOT EXISTS macp_ext_profiles (
  slug TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  context_pack TEXT NOT NULL DEFAULT '',
  skills_json TEXT NOT NULL DEFAULT '[]',
  memory_keys_json TEXT NOT NULL DEFAULT '[]',
  vault_paths_json TEXT NOT NULL DEFAULT '[]',
  author_agent_id TEXT NOT NULL REFERENCES agents(agent_id) ON DELETE CASCADE,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS macp_ext_goals (
  goal_id TEXT PRIMARY KEY,
  goal_type TEXT NOT NULL,
  title TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'active',
  parent_goal_id TEXT REFERENCES macp_ext_goals(goal_id) ON DELETE SET NULL,
  owner_agent_id TEXT REFERENCES agents(agent_id) ON DELETE SET NULL,
  created_by_agent_id TEXT NOT NULL REFERENCES agents(agent_id) ON DELETE CASCADE,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS macp_ext_tasks (
  task_id TEXT PRIMARY KEY,
  title TEXT NOT NULL,
  description TEXT NOT NULL DEFAULT '',
  profile_slug TEXT REFERENCES macp_ext_profiles(slug) ON DELETE SET NULL,
  priority TEXT NOT NULL DEFAULT 'P2',
  status TEXT NOT NULL DEFAULT 'pending',
  goal_id TEXT REFERENCES macp_ext_goals(goal_id) ON DELETE SET NULL,
  parent_task_id TEXT REFERENCES macp_ext_tasks(task_id) ON DELETE SET NULL,
  dispatcher_agent_id TEXT NOT NULL REFERENCES agents(agent_id) ON DELETE CASCADE,
  assigned_agent_id TEXT REFERENCES agents(agent_id) ON DELETE SET NULL,
  assigned_session_id TEXT REFERENCES sessions(session_id) ON DELETE SET NULL,
  result_text TEXT,
  reason_text TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  archived_at TEXT
);

CREATE TABLE IF NOT EXISTS macp_ext_vault_registry (
  registry_id TEXT PRIMARY KEY,
  root_path TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  updated_by_agent_id TEXT NOT NULL REFERENCES agents(agent_id) ON DELETE CASCADE
);

CREATE TABLE IF NOT EXISTS macp_ext_vault_docs (
  doc_id TEXT PRIMARY KEY,
  doc_path TEXT NOT NULL UNIQUE,
  title TEXT NOT NULL,
  content TEXT NOT NULL,
  tags_json TEXT NOT NULL DEFAULT '[]',
  source_path TEXT NOT NULL UNIQUE,
  source_mtime TEXT NOT NULL,
  content_hash TEXT NOT NULL,
  updated_at TEXT NOT NULL
);

CREATE INDEX IF NOT EXISTS idx_macp_ext_file_claims_active
  ON macp_ext_file_claims(file_path, released_at, expires_at);
CREATE INDEX IF NOT EXISTS idx_macp_ext_file_claims_agent
  ON macp_ext_file_claims(agent_id, released_at, expires_at);
CREATE INDEX IF NOT EXISTS idx_macp_ext_memories_lookup
  ON macp_ext_memories(scope, memory_key, owner_agent_id, channel_id, archived_at, updated_at);
CREATE INDEX IF NOT EXISTS idx_macp_ext_memories_author
  ON macp_ext_memories(author_agent_id, archived_at, updated_at);
CREATE INDEX IF NOT EXISTS idx_macp_ext_goals_parent
  ON macp_ext_goals(parent_goal_id, status, updated_at);
CREATE INDEX IF NOT EXISTS idx_macp_ext_tasks_list
  ON macp_ext_tasks(status, priority, profile_slug, goal_id, updated_at);
CREATE INDEX IF NOT EXISTS idx_macp_ext_vault_docs_path
  ON macp_ext_vault_docs(doc_path, updated_at);
