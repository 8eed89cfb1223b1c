-- name: running
SELECT integration_id, base, branches, scratch, agent_id, state, process, outcome, started_ms, ended_ms
FROM comity_integrations WHERE ended_ms IS NULL ORDER BY started_ms

-- name: recent
SELECT integration_id, base, branches, scratch, agent_id, state, process, outcome, started_ms, ended_ms
FROM comity_integrations ORDER BY started_ms DESC, integration_id DESC LIMIT :limit

-- name: begin
INSERT INTO comity_integrations (integration_id, base, branches, scratch, agent_id, state, process, started_ms)
VALUES (:integration_id, :base, :branches, :scratch, :agent_id, 'running', :process, :now_ms)

-- name: landing
UPDATE comity_integrations SET state = 'landing', outcome = :outcome
WHERE integration_id = :integration_id AND ended_ms IS NULL

-- name: end
UPDATE comity_integrations SET state = :state, outcome = :outcome, ended_ms = :now_ms
WHERE integration_id = :integration_id AND ended_ms IS NULL

-- name: forget
DELETE FROM comity_integrations WHERE ended_ms IS NOT NULL AND integration_id NOT IN (
  SELECT integration_id FROM comity_integrations ORDER BY started_ms DESC LIMIT :kept)
