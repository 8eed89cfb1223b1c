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
PRAGMA defer_foreign_keys = ON

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
  CAST(p.last_seen_ms AS INTEGER), CAST(p.lease_until_ms AS INTEGER),
  CASE WHEN p.pid IS NULL THEN (SELECT json_group_array(json_array(
      h.heard_ms, h.host_pid, h.host_started, h.boot_id, h.outlived, NOT EXISTS (SELECT 1 FROM comity_host_sessions n
        WHERE n.host_pid = h.host_pid AND n.host_started = h.host_started AND n.boot_id = h.boot_id
          AND n.subagent_id = '' AND n.agent_id <> h.agent_id AND n.heard_ms > h.heard_ms)))
    FROM comity_host_sessions h WHERE h.agent_id = p.agent_id AND h.heard_ms IS NOT NULL AND h.host_pid IS NOT NULL) END
FROM comity_presence p JOIN sessions s ON s.session_id = p.session_id
WHERE s.state = 'active' AND s.registered_at = p.registered_at AND s.agent_id = p.agent_id
ORDER BY p.agent_id

-- name: anybody_in_line
SELECT 1 FROM comity_line LIMIT 1

-- name: host_session
SELECT agent_id, heard_ms, ended, host_pid, host_started FROM comity_host_sessions
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = :subagent_id

-- name: remember_host_session
INSERT INTO comity_host_sessions (host, host_session_id, subagent_id, agent_id, parent_agent_id, boot_id, host_pid,
  host_started, heard_ms, outlived)
VALUES (:host, :host_session_id, :subagent_id, :agent_id, :parent_agent_id, :boot_id, :host_pid, :host_started, :heard_ms,
  :lasting)
ON CONFLICT (host, host_session_id, subagent_id) DO UPDATE SET
  outlived = CASE WHEN excluded.host_pid IS NULL THEN outlived
    ELSE excluded.outlived OR coalesce(host_pid = excluded.host_pid AND host_started = excluded.host_started
      AND boot_id = excluded.boot_id AND (outlived OR heard_ms < :began_ms), 0) END,
  agent_id = excluded.agent_id,
  parent_agent_id = excluded.parent_agent_id,
  boot_id = excluded.boot_id,
  host_pid = coalesce(excluded.host_pid, host_pid),
  host_started = CASE WHEN excluded.host_pid IS NULL THEN host_started ELSE excluded.host_started END,
  heard_ms = coalesce(excluded.heard_ms, heard_ms),
  ended = CASE WHEN excluded.heard_ms IS NULL THEN ended END

-- name: recorded_process
SELECT host_pid, host_started, boot_id, outlived, heard_ms IS NOT NULL, ended FROM comity_host_sessions
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = ''

-- name: known_in_process
SELECT h.agent_id, h.host, h.host_session_id, h.heard_ms IS NOT NULL FROM comity_host_sessions h
WHERE h.host_pid = :host_pid AND h.host_started = :host_started AND h.boot_id = :boot_id AND h.subagent_id = ''
  AND h.ended IS NULL
  AND (h.heard_ms IS NOT NULL OR EXISTS (SELECT 1 FROM sessions s WHERE s.agent_id = h.agent_id AND s.state = 'active'))

-- name: session_named
SELECT h.agent_id, h.ended, h.host_pid, h.host_started, h.boot_id, p.pid_namespace FROM comity_host_sessions h
LEFT JOIN sessions s ON s.agent_id = h.agent_id AND s.state = 'active'
LEFT JOIN comity_presence p ON p.session_id = s.session_id AND p.registered_at = s.registered_at
WHERE h.host = :host AND h.host_session_id = :host_session_id AND h.subagent_id = ''

-- name: server_of
SELECT p.pid, p.process_started, p.boot_id FROM comity_host_sessions h
JOIN sessions s ON s.agent_id = h.agent_id AND s.state = 'active'
JOIN comity_presence p ON p.session_id = s.session_id AND p.registered_at = s.registered_at AND p.pid IS NOT NULL
WHERE h.host = :host AND h.host_session_id = :host_session_id AND h.subagent_id = ''

-- name: under_session_id
SELECT h.agent_id, a.name, h.host_pid, h.host_started, h.boot_id
FROM comity_host_sessions h LEFT JOIN agents a ON a.agent_id = h.agent_id
WHERE h.host = :host AND h.subagent_id = '' AND h.ended IS NULL AND h.host_pid IS NOT NULL
  AND (h.host_session_id = :session_id OR (h.host_session_id >= :mark AND h.host_session_id < :mark || char(1114111)))

-- name: doubled
SELECT host, host_session_id FROM comity_host_sessions
WHERE subagent_id = '' AND ended IS NULL AND instr(host_session_id, :mark) > 0

-- Subagents of which nothing was heard since, or that were silent when their parent went on: who belongs to the same
-- session. A subagent knows only of the latter.
-- name: silent_relatives
SELECT DISTINCT s.agent_id FROM comity_host_sessions m
JOIN comity_host_sessions s ON s.host = m.host AND s.host_session_id = m.host_session_id
WHERE m.agent_id = :agent_id AND s.subagent_id <> '' AND s.agent_id <> m.agent_id
  AND (s.ended = 'silent' OR (m.subagent_id = '' AND s.ended IS NULL AND s.heard_ms < :since_ms))

-- name: fall_silent
UPDATE comity_host_sessions SET ended = 'silent'
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id <> '' AND ended IS NULL

-- name: speaking_subagent
SELECT 1 FROM comity_host_sessions
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id <> '' AND ended IS NULL LIMIT 1

-- Whether it is news that the host's process goes on after a hook.
-- name: outlives
SELECT 1 FROM comity_host_sessions
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id = :subagent_id AND NOT outlived
  AND host_pid = :host_pid AND host_started = :host_started AND (:lasting OR heard_ms < :began_ms)

-- A program that runs for an agent is a subagent of it; no hook tells of it.
-- name: errand
INSERT OR REPLACE INTO comity_host_sessions (host, host_session_id, subagent_id, agent_id, parent_agent_id)
VALUES ('comity', :parent_agent_id, :agent_id, :agent_id, :parent_agent_id)

-- name: sessions_in_process
SELECT DISTINCT agent_id FROM comity_host_sessions
WHERE host_pid = :host_pid AND host_started = :host_started AND boot_id = :boot_id AND subagent_id = ''
  AND heard_ms IS NOT NULL AND ended IS NULL

-- name: cleared_in_process
SELECT DISTINCT agent_id FROM comity_host_sessions
WHERE host_pid = :host_pid AND host_started = :host_started AND boot_id = :boot_id AND subagent_id = ''
  AND heard_ms IS NOT NULL AND ended = 'clear'

-- name: went_on
UPDATE comity_host_sessions SET ended = 'went on' WHERE agent_id = :agent_id AND ended = 'clear'

-- name: waiting_in_process
SELECT h.agent_id, h.host FROM comity_host_sessions h JOIN sessions s ON s.agent_id = h.agent_id
WHERE h.host_pid = :host_pid AND h.host_started = :host_started AND h.boot_id = :boot_id AND h.subagent_id = ''
  AND h.heard_ms IS NULL AND s.state = 'active'

-- A session that went on under another id is no other session.
-- name: other_session_of
SELECT 1 FROM comity_host_sessions
WHERE agent_id = :agent_id AND (heard_ms IS NOT NULL OR :double) AND coalesce(ended, '') <> 'went on'
  AND (host, host_session_id, subagent_id) <> (:host, :host_session_id, :subagent_id) LIMIT 1

-- name: heard_by_hooks
SELECT 1 FROM comity_host_sessions WHERE agent_id = :agent_id AND heard_ms IS NOT NULL LIMIT 1

-- name: served
SELECT 1 FROM sessions s JOIN comity_presence p ON p.session_id = s.session_id
WHERE s.agent_id = :agent_id AND s.state = 'active' AND p.registered_at = s.registered_at AND p.pid IS NOT NULL

-- What only a server supposed goes with it.
-- name: forget_supposed
DELETE FROM comity_host_sessions WHERE agent_id = :agent_id AND heard_ms IS NULL

-- name: end_host_session
UPDATE comity_host_sessions SET ended = :reason
WHERE host = :host AND host_session_id = :host_session_id AND (:subagent_id = '' OR subagent_id = :subagent_id)
RETURNING agent_id

-- name: name_of
SELECT name FROM agents WHERE agent_id = :agent_id

-- name: rename
UPDATE agents SET name = :name WHERE agent_id = :agent_id

-- name: subagents_of
SELECT agent_id FROM comity_host_sessions
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id <> ''

-- name: ancestors
WITH RECURSIVE up(agent_id, depth) AS (
  SELECT parent_agent_id, 1 FROM comity_host_sessions WHERE agent_id = :agent_id AND parent_agent_id IS NOT NULL
  UNION
  SELECT h.parent_agent_id, up.depth + 1 FROM comity_host_sessions h JOIN up ON h.agent_id = up.agent_id
  WHERE h.parent_agent_id IS NOT NULL AND up.depth < 8
)
SELECT DISTINCT agent_id FROM up

-- name: descendants
WITH RECURSIVE down(agent_id, depth) AS (
  SELECT agent_id, 1 FROM comity_host_sessions WHERE parent_agent_id = :agent_id
  UNION
  SELECT h.agent_id, down.depth + 1 FROM comity_host_sessions h JOIN down ON h.parent_agent_id = down.agent_id
  WHERE down.depth < 8
)
SELECT DISTINCT agent_id FROM down

-- name: move_host_sessions
UPDATE comity_host_sessions SET agent_id = :new WHERE agent_id = :old

-- name: move_parents
UPDATE comity_host_sessions SET parent_agent_id = :new WHERE parent_agent_id = :old

-- name: copy_memberships
INSERT INTO channel_members (channel_id, agent_id, session_id, joined_at)
SELECT channel_id, :new, :session_id, :now FROM channel_members WHERE agent_id = :old
ON CONFLICT (channel_id, agent_id) DO NOTHING

-- name: active_called
SELECT a.agent_id, s.session_id FROM agents a JOIN sessions s ON s.agent_id = a.agent_id
WHERE s.state = 'active' AND (a.agent_id = :name OR a.name = :name)

-- name: names_from
SELECT agent_id, name FROM agents WHERE agent_id BETWEEN :low AND :high OR name BETWEEN :low AND :high

-- name: noted_as
SELECT DISTINCT agent_id FROM comity_host_sessions
WHERE host = :host AND host_session_id = :host_session_id AND subagent_id IN ('', :subagent_id)

-- name: hook_heard
SELECT 1 FROM comity_hooked WHERE agent_id = :agent_id AND heard_ms > :since_ms

-- name: note_hook
INSERT INTO comity_hooked (agent_id, heard_ms) VALUES (:agent_id, :now_ms)
ON CONFLICT (agent_id) DO UPDATE SET heard_ms = excluded.heard_ms

-- Sessions of a server for which no hook has spoken since they were registered, or shortly before.
-- name: unhooked
SELECT p.agent_id, p.program FROM comity_presence p
JOIN sessions s ON s.session_id = p.session_id AND s.agent_id = p.agent_id AND s.registered_at = p.registered_at
WHERE s.state = 'active' AND p.pid IS NOT NULL AND (:agent_id IS NULL OR p.agent_id = :agent_id)
  AND NOT EXISTS (SELECT 1 FROM comity_hooked h WHERE h.agent_id = p.agent_id
    AND h.heard_ms / 1000 + :before_s >= CAST(strftime('%s', s.registered_at) AS INTEGER))
ORDER BY p.agent_id
