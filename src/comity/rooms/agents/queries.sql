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

-- name: record_presence
INSERT INTO comity_presence (session_id, agent_id, registered_at, pid, process_started, boot_id, pid_namespace,
  host_name, program, host_session_id, worktree, last_seen_ms, lease_until_ms)
VALUES (:session_id, :agent_id, :registered_at, :pid, :process_started, :boot_id, :pid_namespace,
  :host_name, :program, :host_session_id, :worktree, :last_seen_ms, :lease_until_ms)
ON CONFLICT (session_id) DO UPDATE SET
  agent_id = excluded.agent_id,
  registered_at = excluded.registered_at,
  pid = excluded.pid,
  process_started = excluded.process_started,
  boot_id = excluded.boot_id,
  pid_namespace = excluded.pid_namespace,
  host_name = excluded.host_name,
  program = excluded.program,
  host_session_id = excluded.host_session_id,
  worktree = excluded.worktree,
  last_seen_ms = excluded.last_seen_ms,
  lease_until_ms = excluded.lease_until_ms

-- name: renew_presence
UPDATE comity_presence SET
  program = CASE WHEN :program = '' THEN program ELSE :program END,
  last_seen_ms = :last_seen_ms,
  lease_until_ms = :lease_until_ms
WHERE session_id = :session_id AND agent_id = :agent_id AND registered_at = (
  SELECT registered_at FROM sessions WHERE session_id = :session_id AND agent_id = :agent_id AND state = 'active')

-- name: drop_presence
DELETE FROM comity_presence WHERE session_id = :session_id

-- A session that another implementation registered anew has another time of registration than its old row here.
-- name: presences
SELECT p.session_id, p.agent_id, CASE typeof(p.pid) WHEN 'integer' THEN p.pid END, p.process_started, p.boot_id,
  p.pid_namespace, p.host_name, p.program, p.host_session_id, p.worktree,
  CAST(p.last_seen_ms AS INTEGER), CAST(p.lease_until_ms AS INTEGER)
FROM comity_presence p JOIN sessions s ON s.session_id = p.session_id
WHERE s.state = 'active' AND s.registered_at = p.registered_at AND s.agent_id = p.agent_id
ORDER BY p.agent_id

-- name: host_session
SELECT agent_id FROM comity_host_sessions
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = :subagent_id

-- name: remember_host_session
INSERT INTO comity_host_sessions (host, host_session_id, subagent_id, agent_id, parent_agent_id, boot_id, host_pid,
  host_started, seen_ms)
VALUES (:host, :host_session_id, :subagent_id, :agent_id, :parent_agent_id, :boot_id, :host_pid, :host_started, :now_ms)
ON CONFLICT (host, host_session_id, subagent_id) DO UPDATE SET
  boot_id = excluded.boot_id,
  host_pid = coalesce(excluded.host_pid, host_pid),
  host_started = CASE WHEN excluded.host_pid IS NULL THEN host_started ELSE excluded.host_started END,
  seen_ms = excluded.seen_ms

-- name: sessions_in_process
SELECT DISTINCT agent_id FROM comity_host_sessions
WHERE boot_id = :boot_id AND host_pid = :host_pid AND host_started = :host_started AND subagent_id = ''

-- name: ancestors
WITH RECURSIVE up(agent_id, depth) AS (
  SELECT parent_agent_id, 1 FROM comity_host_sessions WHERE agent_id = :agent_id AND parent_agent_id IS NOT NULL
  UNION
  SELECT h.parent_agent_id, up.depth + 1 FROM comity_host_sessions h JOIN up ON h.agent_id = up.agent_id
  WHERE h.parent_agent_id IS NOT NULL AND up.depth < 8
)
SELECT DISTINCT agent_id FROM up
