-- What the radar saw of each checkout, by its folder from the project's root. head: the commit that is checked out.
-- snapshot: the commit that stands for it with its uncommitted work. mark: what git's files and the known work looked
-- like then; as long as it stays, nothing is looked at anew. changed, added: JSON lists of files with uncommitted work,
-- and of files that are new against the base. base: the branch that it goes back to; base_commit: where that is.
CREATE TABLE IF NOT EXISTS comity_radar_checkouts (
  name TEXT PRIMARY KEY,
  path TEXT NOT NULL,
  branch TEXT NOT NULL,
  head TEXT NOT NULL,
  snapshot TEXT NOT NULL,
  mark TEXT NOT NULL,
  changed TEXT NOT NULL,
  added TEXT NOT NULL,
  left_out INTEGER NOT NULL,
  base TEXT NOT NULL,
  base_commit TEXT NOT NULL,
  seen_ms INTEGER NOT NULL
);
-- What a merge of two would come to; one side may be a base branch ('base:main'). found: JSON list of conflicts. both:
-- JSON list of files that both sides changed and that go together.
CREATE TABLE IF NOT EXISTS comity_radar_pairs (
  one TEXT NOT NULL,
  other TEXT NOT NULL,
  one_commit TEXT NOT NULL,
  other_commit TEXT NOT NULL,
  state TEXT NOT NULL,
  found TEXT NOT NULL,
  both TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  PRIMARY KEY (one, other)
) WITHOUT ROWID;
-- The one process that looks by itself, and until when nobody else does.
CREATE TABLE IF NOT EXISTS comity_radar_turn (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  process TEXT NOT NULL,
  until_ms INTEGER NOT NULL
);
