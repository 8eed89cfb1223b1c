-- Sessions of agent hosts and the agent that each one is. A subagent is an agent of its own under a parent. host_pid and
-- host_started are the host's process, by which a server that it started is joined. heard_ms: when a hook last told of
-- the session; NULL while only a server supposes it, and then host_session_id may be a made one. ended: why its host
-- said that it is over. rested_ms: since when it is idle, NULL while it is at work; watcher: who waits to wake it;
-- woken_ms: when it was last woken in this rest.
CREATE TABLE IF NOT EXISTS comity_host_sessions (
  host TEXT NOT NULL,
  host_session_id TEXT NOT NULL,
  subagent_id TEXT NOT NULL DEFAULT '',
  agent_id TEXT NOT NULL,
  parent_agent_id TEXT,
  boot_id TEXT NOT NULL DEFAULT '',
  host_pid INTEGER,
  host_started TEXT NOT NULL DEFAULT '',
  heard_ms INTEGER,
  ended TEXT,
  rested_ms INTEGER,
  watcher TEXT NOT NULL DEFAULT '',
  woken_ms INTEGER,
  PRIMARY KEY (host, host_session_id, subagent_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comity_host_sessions_agent ON comity_host_sessions(agent_id);
CREATE INDEX IF NOT EXISTS comity_host_sessions_process ON comity_host_sessions(host_pid) WHERE host_pid IS NOT NULL;

-- What a hook put into an agent's context. A row is a lease first (leased_until_ms), then written, then seen: the
-- model has answered since. whole: nothing of the content was cut. asked_ms: when the agent was last reminded of what it
-- has not acknowledged; at_stop: it was asked to deal with it before it stops. An empty injection_id: the agent polled
-- the delivery by itself. What has no row was neither injected nor polled since hooks look.
CREATE TABLE IF NOT EXISTS comity_injections (
  delivery_id TEXT PRIMARY KEY REFERENCES messages(delivery_id) ON UPDATE CASCADE ON DELETE CASCADE,
  agent_id TEXT NOT NULL,
  injection_id TEXT NOT NULL,
  whole INTEGER NOT NULL,
  leased_until_ms INTEGER NOT NULL,
  written_ms INTEGER,
  seen_ms INTEGER,
  asked_ms INTEGER,
  at_stop INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS comity_injections_unseen ON comity_injections(agent_id)
  WHERE seen_ms IS NULL AND written_ms IS NOT NULL;

-- Deliveries for which an idle session was woken: never again for the same ones. Distinct times are its wakes.
CREATE TABLE IF NOT EXISTS comity_wakes (
  delivery_id TEXT PRIMARY KEY REFERENCES messages(delivery_id) ON UPDATE CASCADE ON DELETE CASCADE,
  host TEXT NOT NULL,
  host_session_id TEXT NOT NULL,
  woken_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS comity_wakes_session ON comity_wakes(host, host_session_id, woken_ms);

-- What passes between a sender and a target (an agent, or "#" and a channel), so that no loop of answers runs for ever.
-- hops: how many messages in turn went to and fro; window_ms and sent: how many in the present minute; recent_json: what
-- was sent lately; damped_ms: when a message was last held back, and why.
CREATE TABLE IF NOT EXISTS comity_pairs (
  sender TEXT NOT NULL,
  target TEXT NOT NULL,
  last_ms INTEGER NOT NULL,
  hops INTEGER NOT NULL DEFAULT 0,
  window_ms INTEGER NOT NULL DEFAULT 0,
  sent INTEGER NOT NULL DEFAULT 0,
  recent_json TEXT NOT NULL DEFAULT '[]',
  damped_ms INTEGER,
  damped_why TEXT NOT NULL DEFAULT '',
  damped INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (sender, target)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comity_pairs_damped ON comity_pairs(damped_ms) WHERE damped_ms IS NOT NULL;
