-- Active: not released, and the whole second of expiry is later than now's (reference section 1.7).
-- Columns of a claim: the protocol's, then what Comity adds, the holder's name, and the whole second of its beginning.

-- The whole second in which a claim expires; NULL when the row's time is malformed.
-- sqlite: expiry
(CASE WHEN expires_at GLOB '[0-9]*' THEN CAST(strftime('%s', expires_at) AS INTEGER) END)

-- Whether a path has wildcards, or a form that is not the usual one: such claims are compared one by one.
-- sqlite: unusual_path
(c.file_path GLOB '*[^ -~]*' OR c.file_path GLOB '*[[*?{\:]*' OR c.file_path GLOB '/*'
  OR c.file_path GLOB './*' OR c.file_path GLOB '../*' OR c.file_path GLOB '*//*' OR c.file_path GLOB '*/./*'
  OR c.file_path GLOB '*/../*' OR c.file_path GLOB '*/' OR c.file_path GLOB '*/.' OR c.file_path GLOB '*/..'
  OR c.file_path GLOB ' *' OR c.file_path GLOB '* ')

-- Claims at any of these paths, upper and lower case together.
-- name: at
SELECT c.claim_id, c.agent_id, c.session_id, c.file_path, c.claimed_at, c.expires_at, c.reason,
  d.mode, d.fence, a.name, d.repository, d.worktree, CAST(strftime('%s', c.claimed_at) AS INTEGER), d.tree, d.literal
FROM json_each(:keys) k CROSS JOIN macp_ext_file_claims c INDEXED BY comity_claims_live
LEFT JOIN comity_claim_details d ON d.claim_id = c.claim_id AND d.file_path = c.file_path
LEFT JOIN agents a ON a.agent_id = c.agent_id
WHERE c.released_at IS NULL AND lower(c.file_path) = k.value AND {expiry} > :second

-- The same for :at; claims below any of the folders :below ("0" is the character after "/"); and claims whose text says
-- too little, with wildcards or in unusual forms. What is below is found by path, past whatever lapsed there, or among
-- all that is active.
-- name: touching_{live,expiry}
SELECT c.claim_id, c.agent_id, c.session_id, c.file_path, c.claimed_at, c.expires_at, c.reason,
  d.mode, d.fence, a.name, d.repository, d.worktree, CAST(strftime('%s', c.claimed_at) AS INTEGER), d.tree, d.literal
FROM json_each(:at) k CROSS JOIN macp_ext_file_claims c INDEXED BY comity_claims_live
LEFT JOIN comity_claim_details d ON d.claim_id = c.claim_id AND d.file_path = c.file_path
LEFT JOIN agents a ON a.agent_id = c.agent_id
WHERE c.released_at IS NULL AND lower(c.file_path) = k.value AND {expiry} > :second
UNION ALL
SELECT c.claim_id, c.agent_id, c.session_id, c.file_path, c.claimed_at, c.expires_at, c.reason,
  d.mode, d.fence, a.name, d.repository, d.worktree, CAST(strftime('%s', c.claimed_at) AS INTEGER), d.tree, d.literal
FROM json_each(:below) k CROSS JOIN macp_ext_file_claims c INDEXED BY comity_claims_{it}
LEFT JOIN comity_claim_details d ON d.claim_id = c.claim_id AND d.file_path = c.file_path
LEFT JOIN agents a ON a.agent_id = c.agent_id
WHERE c.released_at IS NULL AND lower(c.file_path) > k.value || '/' AND lower(c.file_path) < k.value || '0'
  AND {expiry} > :second
UNION ALL
SELECT c.claim_id, c.agent_id, c.session_id, c.file_path, c.claimed_at, c.expires_at, c.reason,
  d.mode, d.fence, a.name, d.repository, d.worktree, CAST(strftime('%s', c.claimed_at) AS INTEGER), d.tree, d.literal
FROM macp_ext_file_claims c INDEXED BY comity_claims_unusual
LEFT JOIN comity_claim_details d ON d.claim_id = c.claim_id AND d.file_path = c.file_path
LEFT JOIN agents a ON a.agent_id = c.agent_id
WHERE c.released_at IS NULL AND {unusual_path} AND {expiry} > :second

-- name: more_active_than
SELECT 1 FROM macp_ext_file_claims INDEXED BY comity_claims_expiry
WHERE released_at IS NULL AND {expiry} > :second LIMIT 1 OFFSET :few

-- name: every
SELECT c.claim_id, c.agent_id, c.session_id, c.file_path, c.claimed_at, c.expires_at, c.reason,
  d.mode, d.fence, a.name, d.repository, d.worktree, CAST(strftime('%s', c.claimed_at) AS INTEGER), d.tree, d.literal
FROM macp_ext_file_claims c INDEXED BY comity_claims_expiry
LEFT JOIN comity_claim_details d ON d.claim_id = c.claim_id AND d.file_path = c.file_path
LEFT JOIN agents a ON a.agent_id = c.agent_id
WHERE c.released_at IS NULL AND {expiry} > :second

-- name: active
SELECT c.claim_id, c.agent_id, c.session_id, c.file_path, c.claimed_at, c.expires_at, c.reason,
  d.mode, d.fence, a.name, d.repository, d.worktree, CAST(strftime('%s', c.claimed_at) AS INTEGER), d.tree, d.literal
FROM macp_ext_file_claims c INDEXED BY comity_claims_expiry
LEFT JOIN comity_claim_details d ON d.claim_id = c.claim_id AND d.file_path = c.file_path
LEFT JOIN agents a ON a.agent_id = c.agent_id
WHERE c.released_at IS NULL AND {expiry} > :second AND (:agent_id IS NULL OR c.agent_id = :agent_id)
ORDER BY c.file_path, c.claimed_at, c.claim_id LIMIT :limit

-- Everything that a session, or an agent in any session, has not released; lapsed claims too.
-- name: unreleased
SELECT claim_id, file_path FROM macp_ext_file_claims INDEXED BY idx_macp_ext_file_claims_agent
WHERE agent_id = :agent_id AND released_at IS NULL AND (:session_id IS NULL OR session_id = :session_id)
ORDER BY file_path, claim_id

-- name: lapsed
SELECT rowid, file_path, agent_id FROM macp_ext_file_claims INDEXED BY comity_claims_expiry
WHERE released_at IS NULL AND {expiry} <= :second LIMIT :limit

-- name: lapsed_at
SELECT c.rowid, c.file_path, c.agent_id
FROM json_each(:keys) k CROSS JOIN macp_ext_file_claims c INDEXED BY comity_claims_live
WHERE c.released_at IS NULL AND lower(c.file_path) = k.value AND {expiry} <= :second LIMIT :limit

-- name: lapse
UPDATE macp_ext_file_claims SET released_at = expires_at, release_reason = 'expired'
WHERE rowid IN (SELECT value FROM json_each(:rows))

-- name: release
UPDATE macp_ext_file_claims SET released_at = :now, release_reason = :reason
WHERE claim_id = :claim_id AND file_path = :file_path AND released_at IS NULL

-- name: renew
UPDATE macp_ext_file_claims SET expires_at = :expires_at
WHERE claim_id = :claim_id AND file_path = :file_path AND released_at IS NULL

-- name: newest_fence
SELECT newest FROM comity_fence

-- name: raise_fence
UPDATE comity_fence SET newest = :newest

-- name: insert
INSERT INTO macp_ext_file_claims (claim_id, file_path, agent_id, session_id, claimed_at, expires_at, reason)
VALUES (:claim_id, :file_path, :agent_id, :session_id, :claimed_at, :expires_at, :reason)

-- name: insert_details
INSERT INTO comity_claim_details (claim_id, file_path, mode, fence, tree, literal, repository, worktree, agent_id)
VALUES (:claim_id, :file_path, :mode, :fence, :tree, :literal, :repository, :worktree, :agent_id)

-- name: follow_session
UPDATE macp_ext_file_claims SET session_id = :session_id WHERE session_id = :old_session_id

-- name: hand_over
UPDATE macp_ext_file_claims SET agent_id = :new, session_id = :session_id
WHERE agent_id = :old AND released_at IS NULL

-- name: hand_over_details
UPDATE comity_claim_details SET agent_id = :new WHERE agent_id = :old AND (claim_id, file_path) IN (
  SELECT claim_id, file_path FROM macp_ext_file_claims WHERE session_id = :session_id AND released_at IS NULL)

-- name: anybody_in_line
SELECT 1 FROM comity_line LIMIT 1

-- Everybody who waits, first come first, with the session in which each is active.
-- name: line
SELECT l.number, l.agent_id, coalesce(a.name, l.agent_id), s.session_id, l.repository, l.worktree, l.folds, l.files,
  l.resources, l.mode, l.ttl_seconds, l.reason, l.since_ms, l.pid, l.started, l.boot_id, l.pid_namespace
FROM comity_line l LEFT JOIN agents a ON a.agent_id = l.agent_id
LEFT JOIN sessions s ON s.agent_id = l.agent_id AND s.state = 'active'
ORDER BY l.number

-- name: stand_in_line
INSERT INTO comity_line (agent_id, repository, worktree, folds, files, resources, mode, ttl_seconds, reason, since_ms,
  pid, started, boot_id, pid_namespace)
VALUES (:agent_id, :repository, :worktree, :folds, :files, :resources, :mode, :ttl_seconds, :reason, :since_ms,
  :pid, :started, :boot_id, :pid_namespace)

-- A place that is asked for again stays where it is.
-- name: wait_on
UPDATE comity_line SET ttl_seconds = :ttl_seconds, reason = :reason, pid = :pid, started = :started,
  boot_id = :boot_id, pid_namespace = :pid_namespace
WHERE number = :number

-- name: leave_line
DELETE FROM comity_line WHERE number = :number

-- name: leave_all_lines
DELETE FROM comity_line WHERE agent_id = :agent_id

-- name: hand_over_line
UPDATE comity_line SET agent_id = :new WHERE agent_id = :old
