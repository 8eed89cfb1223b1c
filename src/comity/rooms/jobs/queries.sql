-- name: insert
INSERT INTO comity_jobs (job_id, kind, arguments, state, agent_id, asker, repeatable, most_s, requested_ms)
VALUES (:job_id, :kind, :arguments, :state, :agent_id, :asker, :repeatable, :most_s, :now_ms)

-- name: counts
SELECT count(*), coalesce(sum(agent_id = :agent_id), 0) FROM comity_jobs INDEXED BY comity_jobs_open
WHERE ended_ms IS NULL AND kind = :kind

-- name: forget
DELETE FROM comity_jobs WHERE job_id IN (
  SELECT job_id FROM comity_jobs WHERE ended_ms IS NOT NULL ORDER BY ended_ms DESC LIMIT 50 OFFSET :kept)

-- name: get
SELECT job_id, kind, state, arguments, agent_id, requested_ms, started_ms, ended_ms, epoch, done, total, what, runner,
  repeatable, lapses, told_ms, result, problem
FROM comity_jobs WHERE job_id = :job_id

-- name: list
SELECT job_id, kind, state, arguments, agent_id, requested_ms, started_ms, ended_ms, epoch, done, total, what, runner
FROM comity_jobs WHERE :states = '[]' OR state IN (SELECT value FROM json_each(:states))
ORDER BY requested_ms DESC, job_id DESC LIMIT :limit

-- What was asked for under a clock that ran ahead has waited long enough.
-- name: open
SELECT job_id, epoch FROM comity_jobs INDEXED BY comity_jobs_open
WHERE ended_ms IS NULL AND state = 'waiting' AND (requested_ms <= :before_ms OR requested_ms > :now_ms)
  AND kind IN (SELECT value FROM json_each(:kinds))
ORDER BY requested_ms, job_id LIMIT 1

-- name: any_open
SELECT 1 FROM comity_jobs INDEXED BY comity_jobs_open WHERE ended_ms IS NULL LIMIT 1

-- name: running
SELECT job_id, epoch, runner, seen_ms, lease_until_ms, repeatable, lapses FROM comity_jobs INDEXED BY comity_jobs_open
WHERE ended_ms IS NULL AND state = 'running'

-- name: begin
UPDATE comity_jobs SET state = :state, epoch = epoch + 1, runner = :runner, seen_ms = :now_ms,
  lease_until_ms = :lease_until_ms, started_ms = coalesce(started_ms, :now_ms), done = 0, total = 0, what = '', told_ms = 0
WHERE job_id = :job_id AND state = 'waiting' AND epoch = :epoch
RETURNING job_id, kind, arguments, asker, epoch, most_s, agent_id

-- Whether a runner still has a job: what every write of an effect sees first.
-- name: held
SELECT 1 FROM comity_jobs WHERE job_id = :job_id AND epoch = :epoch AND state = 'running'

-- name: renew
UPDATE comity_jobs SET seen_ms = :now_ms, lease_until_ms = :lease_until_ms, done = :done, total = :total, what = :what
WHERE job_id = :job_id AND epoch = :epoch AND state = 'running'
RETURNING kind, agent_id, told_ms

-- name: told
UPDATE comity_jobs SET told_ms = :now_ms WHERE job_id = :job_id

-- name: end
UPDATE comity_jobs SET state = :state, result = :result, problem = :problem, ended_ms = :now_ms
WHERE job_id = :job_id AND epoch = :epoch AND state = :before

-- name: wait_again
UPDATE comity_jobs SET state = :state, lapses = :lapses WHERE job_id = :job_id AND epoch = :epoch AND state = 'running'
