-- name: second_of
SELECT CAST(strftime('%s', :timestamp) AS INTEGER)

-- The last editors of these files (:keys, a JSON list).
-- name: last
SELECT e.file_path, e.agent_id, e.edited_ms, coalesce(a.name, e.agent_id) FROM json_each(:keys) k
CROSS JOIN comity_edits e LEFT JOIN agents a ON a.agent_id = e.agent_id
WHERE e.repository = :repository AND e.worktree = :worktree AND e.file_path = k.value

-- name: edited
INSERT INTO comity_edits (repository, worktree, file_path, agent_id, edited_ms)
VALUES (:repository, :worktree, :file_path, :agent_id, :now_ms)
ON CONFLICT (repository, worktree, file_path) DO UPDATE SET agent_id = excluded.agent_id, edited_ms = excluded.edited_ms

-- name: began_ms
SELECT CAST(strftime('%s', created_at) AS INTEGER) * 1000 FROM agents WHERE agent_id = :agent_id

-- name: others
SELECT count(*) FROM (SELECT 1 FROM sessions WHERE state = 'active' AND agent_id <> :agent_id LIMIT 2)

-- How many changes an agent asked for that are not known to be made, whether others are about, work of anybody, and
-- whether anybody stands in line.
-- name: pending
SELECT (SELECT count(*) FROM comity_asked WHERE agent_id = :agent_id),
  EXISTS (SELECT 1 FROM sessions WHERE state = 'active' AND agent_id <> :agent_id), EXISTS (SELECT 1 FROM comity_work),
  EXISTS (SELECT 1 FROM comity_line)

-- Whether others are about, and whether there is uncommitted work of others, who may be gone.
-- name: about
SELECT EXISTS (SELECT 1 FROM sessions WHERE state = 'active' AND agent_id <> :agent_id),
  EXISTS (SELECT 1 FROM comity_work WHERE agent_id <> :agent_id)

-- Whether a look of an agent is not compared yet, or a sweep of it not known to be over.
-- name: open
SELECT EXISTS (SELECT 1 FROM comity_looks WHERE agent_id = :agent_id AND closed_ms IS NULL)
  OR EXISTS (SELECT 1 FROM comity_sweeps WHERE agent_id = :agent_id)

-- name: tree
SELECT tree FROM comity_trees WHERE repository = :repository AND worktree = :worktree

-- name: remember_tree
INSERT INTO comity_trees (repository, worktree, tree) VALUES (:repository, :worktree, :tree)
ON CONFLICT (repository, worktree) DO UPDATE SET tree = excluded.tree

-- Subagents, theirs, and so on.
-- name: descendants
WITH RECURSIVE down(agent_id, depth) AS (
  SELECT agent_id, 1 FROM comity_host_sessions WHERE parent_agent_id = :agent_id
  UNION
  SELECT h.agent_id, down.depth + 1 FROM comity_host_sessions h JOIN down ON h.parent_agent_id = down.agent_id
  WHERE down.depth < 8
)
SELECT DISTINCT agent_id FROM down

-- Agents of these host sessions, or whose host is one of these processes ("pid:start") of this boot.
-- name: speaking
SELECT agent_id FROM comity_host_sessions WHERE host_session_id = :session_id AND :session_id <> ''
UNION
SELECT h.agent_id FROM json_each(:processes) p CROSS JOIN comity_host_sessions h
WHERE h.host_pid = CAST(p.value AS INTEGER) AND h.host_pid || ':' || h.host_started = p.value AND h.boot_id = :boot_id

-- name: look
SELECT looked_ms, from_ms, files, mark_ns FROM comity_looks WHERE agent_id = :agent_id AND closed_ms IS NULL

-- name: remember_look
INSERT INTO comity_looks (agent_id, repository, worktree, from_ms, looked_ms, mark_ns, closed_ms, files)
VALUES (:agent_id, :repository, :worktree, :from_ms, :looked_ms, :mark_ns, NULL, :files)
ON CONFLICT (agent_id) DO UPDATE SET repository = excluded.repository, worktree = excluded.worktree,
  from_ms = excluded.from_ms, looked_ms = excluded.looked_ms, mark_ns = excluded.mark_ns, closed_ms = NULL,
  files = excluded.files

-- name: close_look
UPDATE comity_looks SET closed_ms = :now_ms, lingers_ms = max(lingers_ms, :lingers_ms)
WHERE agent_id = :agent_id AND closed_ms IS NULL

-- The last commands of these agents (:agents, a JSON list).
-- name: looks
SELECT l.from_ms, l.closed_ms, l.lingers_ms, l.repository = :repository AND l.worktree = :worktree, l.files
FROM json_each(:agents) a CROSS JOIN comity_looks l ON l.agent_id = a.value

-- Commands of others in a checkout that have ended and may have left something running, the last first.
-- name: lingering
SELECT l.closed_ms, l.agent_id FROM comity_looks l JOIN sessions s ON s.agent_id = l.agent_id AND s.state = 'active'
WHERE l.repository = :repository AND l.worktree = :worktree AND l.agent_id <> :agent_id AND l.closed_ms IS NOT NULL
  AND l.lingers_ms >= :now_ms
ORDER BY l.closed_ms DESC

-- name: own_change
INSERT OR REPLACE INTO comity_own_changes
  (repository, worktree, file_path, agent_id, from_ms, until_ms, seen_before, seen_after)
VALUES (:repository, :worktree, :file_path, :agent_id, :from_ms, :now_ms, :seen_before, :seen_after)

-- name: own_changes
SELECT from_ms, until_ms, seen_before, seen_after FROM comity_own_changes
WHERE repository = :repository AND worktree = :worktree AND file_path = :file_path AND until_ms >= :since_ms
  AND agent_id IN (SELECT value FROM json_each(:agents))

-- name: forget_own_changes
DELETE FROM comity_own_changes INDEXED BY comity_own_changes_until WHERE until_ms < :before_ms

-- name: stashed
INSERT OR IGNORE INTO comity_stashes (repository, stashed_ms, agent_id) VALUES (:repository, :now_ms, :agent_id)

-- name: forget_stashes
DELETE FROM comity_stashes WHERE stashed_ms < :before_ms

-- Who was let stash shortly before a moment, the last one.
-- name: stasher
SELECT t.agent_id, coalesce(a.name, t.agent_id) FROM comity_stashes t
JOIN sessions s ON s.agent_id = t.agent_id AND s.state = 'active'
LEFT JOIN agents a ON a.agent_id = t.agent_id
WHERE t.repository = :repository AND t.stashed_ms BETWEEN :from_ms AND :until_ms
ORDER BY t.stashed_ms DESC LIMIT 1

-- name: swept
INSERT INTO comity_sweeps (agent_id, repository, worktree, swept_ms, title)
VALUES (:agent_id, :repository, :worktree, :now_ms, :title)
ON CONFLICT (agent_id) DO UPDATE SET repository = excluded.repository, worktree = excluded.worktree,
  swept_ms = excluded.swept_ms, title = excluded.title

-- name: sweep_over
DELETE FROM comity_sweeps WHERE agent_id = :agent_id

-- How many changes by commands an agent asked for that are not known to be made.
-- name: asks_by_line
SELECT count(*) FROM comity_asked WHERE agent_id = :agent_id AND how = 'command'

-- name: sweep_runs
SELECT 1 FROM comity_sweeps WHERE agent_id = :agent_id

-- Somebody else's sweep of a work tree that may still run.
-- name: sweeping
SELECT w.agent_id, coalesce(a.name, w.agent_id), w.title FROM comity_sweeps w
JOIN sessions s ON s.agent_id = w.agent_id AND s.state = 'active'
LEFT JOIN agents a ON a.agent_id = w.agent_id
WHERE w.repository = :repository AND w.worktree = :worktree AND w.agent_id <> :agent_id AND w.swept_ms >= :since_ms
LIMIT 1

-- Other agents whose shell commands run just now in a work tree, as far as is known.
-- name: at_work
SELECT l.agent_id FROM comity_looks l JOIN sessions s ON s.agent_id = l.agent_id AND s.state = 'active'
WHERE l.repository = :repository AND l.worktree = :worktree AND l.closed_ms IS NULL AND l.agent_id <> :agent_id

-- What the agents that are here are called.
-- name: names
SELECT a.agent_id, a.name FROM agents a JOIN sessions s ON s.agent_id = a.agent_id AND s.state = 'active'

-- name: head
SELECT branch, commit_id, seen_ms, told, moved_by, heard FROM comity_heads
WHERE repository = :repository AND worktree = :worktree

-- name: heads
SELECT worktree FROM comity_heads WHERE repository = :repository AND seen_ms >= :from_ms

-- name: note_head
INSERT INTO comity_heads (repository, worktree, branch, commit_id, seen_ms)
VALUES (:repository, :worktree, :branch, :commit_id, :now_ms)
ON CONFLICT (repository, worktree) DO UPDATE SET branch = excluded.branch, commit_id = excluded.commit_id,
  seen_ms = excluded.seen_ms

-- name: head_moved
UPDATE comity_heads SET told = :told, moved_by = :moved_by, moved_ms = :now_ms, heard = '[]'
WHERE repository = :repository AND worktree = :worktree

-- name: head_heard
UPDATE comity_heads SET heard = :heard WHERE repository = :repository AND worktree = :worktree

-- name: head_taken
UPDATE comity_heads SET taken = :taken, taken_ms = :now_ms WHERE repository = :repository AND worktree = :worktree

-- Whether a message of Comity waits unread for an agent.
-- name: unread
SELECT 1 FROM messages INDEXED BY comity_messages_pending
WHERE destination_agent_id = :agent_id AND state IN ('queued', 'surfaced') AND state = 'queued' AND content = :told LIMIT 1

-- name: session_ms
SELECT CAST(strftime('%s', registered_at) AS INTEGER) * 1000 FROM sessions
WHERE agent_id = :agent_id AND state = 'active'
