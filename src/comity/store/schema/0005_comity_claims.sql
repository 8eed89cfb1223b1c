-- What Comity adds to file claims; a claim without a row here was made by another implementation and is advisory.
-- Keys and indexes follow the claims wherever those are moved or deleted. SQLite 3.35 features only, since other
-- implementations write these indexes too.

CREATE TABLE IF NOT EXISTS comity_claim_details (
  claim_id TEXT NOT NULL,
  file_path TEXT NOT NULL,
  mode TEXT NOT NULL,
  fence INTEGER NOT NULL,
  tree INTEGER NOT NULL, -- 1: with everything below it
  repository TEXT NOT NULL,
  worktree TEXT NOT NULL,
  agent_id TEXT NOT NULL,
  PRIMARY KEY (claim_id, file_path),
  FOREIGN KEY (claim_id, file_path) REFERENCES macp_ext_file_claims(claim_id, file_path)
    ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;

-- One row: the number of the newest hold of anything. It only grows.
CREATE TABLE IF NOT EXISTS comity_fence (id INTEGER PRIMARY KEY CHECK (id = 1), newest INTEGER NOT NULL);

INSERT INTO comity_fence (id, newest) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;

-- Unreleased claims by path, upper and lower case together, and whole second of expiry (reference section 1.7), which
-- text that begins with no digit has not: SQLite refuses to index what depends on the present time.
CREATE INDEX IF NOT EXISTS comity_claims_live
  ON macp_ext_file_claims(lower(file_path), (CASE WHEN expires_at GLOB '[0-9]*' THEN CAST(strftime('%s', expires_at) AS INTEGER) END))
  WHERE released_at IS NULL;

-- The same by expiry alone: everything that is active, and what has lapsed.
CREATE INDEX IF NOT EXISTS comity_claims_expiry
  ON macp_ext_file_claims((CASE WHEN expires_at GLOB '[0-9]*' THEN CAST(strftime('%s', expires_at) AS INTEGER) END))
  WHERE released_at IS NULL;

-- Paths that an equal text does not find: wildcards, other characters than ASCII, and forms that are not normalised.
CREATE INDEX IF NOT EXISTS comity_claims_unusual
  ON macp_ext_file_claims((CASE WHEN expires_at GLOB '[0-9]*' THEN CAST(strftime('%s', expires_at) AS INTEGER) END))
  WHERE released_at IS NULL AND (file_path GLOB '*[^ -~]*' OR file_path GLOB '*[[*?{\:]*' OR file_path GLOB '/*'
    OR file_path GLOB './*' OR file_path GLOB '../*' OR file_path GLOB '*//*' OR file_path GLOB '*/./*'
    OR file_path GLOB '*/../*' OR file_path GLOB '*/' OR file_path GLOB '*/.' OR file_path GLOB '*/..'
    OR file_path GLOB ' *' OR file_path GLOB '* ');
