-- Who may use the server over the network. Of a token's secret only the SHA-256 is kept: 32 random bytes need no salt.
-- expires_ms and revoked_ms are NULL for never; used_ms is when it was last used, to about a minute.
CREATE TABLE IF NOT EXISTS comity_tokens (
  token_id TEXT PRIMARY KEY,
  secret_sha256 TEXT NOT NULL,
  role TEXT NOT NULL,
  agent_id TEXT,
  label TEXT NOT NULL DEFAULT '',
  created_ms INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  expires_ms INTEGER,
  revoked_ms INTEGER,
  revoked_by TEXT,
  used_ms INTEGER
) WITHOUT ROWID;
