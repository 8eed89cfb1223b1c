-- name: active_session
SELECT 1 FROM sessions WHERE session_id = :session_id AND agent_id = :agent_id AND state = 'active'

-- name: session_holder
SELECT agent_id FROM sessions WHERE session_id = :session_id

-- name: session_of
SELECT session_id, state FROM sessions WHERE agent_id = :agent_id

-- name: upsert_agent
INSERT INTO agents (agent_id, name, created_at, last_registered_at) VALUES (:agent_id, :name, :now, :now)
ON CONFLICT (agent_id) DO UPDATE SET name = excluded.name, last_registered_at = excluded.last_registered_at

-- name: defer_foreign_keys
{defer_foreign_keys}

-- name: upsert_session
INSERT INTO sessions (session_id, agent_id, capabilities_json, interest_tags_json, queue_preferences_json, state,
  registered_at)
VALUES (:session_id, :agent_id, :capabilities, :interest_tags, :queue_preferences, 'active', :now)
ON CONFLICT (agent_id) DO UPDATE SET
  session_id = excluded.session_id,
  capabilities_json = excluded.capabilities_json,
  interest_tags_json = excluded.interest_tags_json,
  queue_preferences_json = excluded.queue_preferences_json,
  state = 'active',
  registered_at = excluded.registered_at

-- name: drop_memberships
DELETE FROM channel_members WHERE agent_id = :agent_id

-- name: drop_session_memberships
DELETE FROM channel_members WHERE agent_id = :agent_id AND session_id = :session_id

-- name: move_claims
UPDATE macp_ext_file_claims SET session_id = :session_id WHERE session_id = :old_session_id

-- name: move_tasks
UPDATE macp_ext_tasks SET assigned_session_id = :session_id WHERE assigned_session_id = :old_session_id

-- name: close_session
UPDATE sessions SET state = 'deregistered'
WHERE session_id = :session_id AND agent_id = :agent_id AND state = 'active'

-- name: profile
SELECT slug FROM macp_ext_profiles WHERE slug = :slug

-- name: stored_profile
SELECT profile_slug FROM macp_ext_agent_state WHERE agent_id = :agent_id

-- name: set_state
INSERT INTO macp_ext_agent_state (agent_id, status, profile_slug, reason, changed_at)
VALUES (:agent_id, :status, :profile_slug, :reason, :now)
ON CONFLICT (agent_id) DO UPDATE SET
  status = excluded.status,
  profile_slug = coalesce(excluded.profile_slug, profile_slug),
  reason = excluded.reason,
  changed_at = excluded.changed_at
