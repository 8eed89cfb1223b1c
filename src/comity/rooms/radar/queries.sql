-- name: checkouts
SELECT name, path, branch, head, snapshot, mark, changed, added, left_out, base, base_commit, seen_ms
FROM comity_radar_checkouts ORDER BY name

-- name: put_checkout
INSERT INTO comity_radar_checkouts (name, path, branch, head, snapshot, mark, changed, added, left_out, base, base_commit,
  seen_ms)
VALUES (:name, :path, :branch, :head, :snapshot, :mark, :changed, :added, :left_out, :base, :base_commit, :now_ms)
ON CONFLICT (name) DO UPDATE SET path = excluded.path, branch = excluded.branch, head = excluded.head,
  snapshot = excluded.snapshot, mark = excluded.mark, changed = excluded.changed, added = excluded.added,
  left_out = excluded.left_out, base = excluded.base, base_commit = excluded.base_commit, seen_ms = excluded.seen_ms

-- name: drop_checkouts
DELETE FROM comity_radar_checkouts WHERE name NOT IN (SELECT value FROM json_each(:names))

-- name: pairs
SELECT one, other, one_commit, other_commit, state, found, both, since_ms FROM comity_radar_pairs ORDER BY one, other

-- name: put_pair
INSERT INTO comity_radar_pairs (one, other, one_commit, other_commit, state, found, both, since_ms)
VALUES (:one, :other, :one_commit, :other_commit, :state, :found, :both, :now_ms)
ON CONFLICT (one, other) DO UPDATE SET one_commit = excluded.one_commit, other_commit = excluded.other_commit,
  since_ms = CASE WHEN comity_radar_pairs.found = excluded.found THEN comity_radar_pairs.since_ms
    ELSE excluded.since_ms END,
  state = excluded.state, found = excluded.found, both = excluded.both

-- name: drop_pair
DELETE FROM comity_radar_pairs WHERE one = :one AND other = :other

-- name: turn
SELECT process, until_ms FROM comity_radar_turn WHERE id = 1

-- name: take_turn
INSERT INTO comity_radar_turn (id, process, until_ms) VALUES (1, :process, :until_ms)
ON CONFLICT (id) DO UPDATE SET process = excluded.process, until_ms = excluded.until_ms
WHERE comity_radar_turn.process = excluded.process OR comity_radar_turn.until_ms <= :now_ms
