-- What a task inherits: each dependency between open tasks where the one that waits is more urgent than the one that it
-- waits for, with the level of the former. So whoever looks for the next task finds the few that are to be lifted, and
-- does not read the queue. Triggers keep it current, whoever writes the tasks.
CREATE TABLE IF NOT EXISTS comity_task_lifts (
  task_id TEXT NOT NULL,
  depends_on TEXT NOT NULL,
  level INTEGER NOT NULL,
  PRIMARY KEY (task_id, depends_on),
  FOREIGN KEY (task_id, depends_on) REFERENCES comity_task_dependencies(task_id, depends_on)
    ON UPDATE CASCADE ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS comity_task_lifts_on ON comity_task_lifts(depends_on);

CREATE VIEW IF NOT EXISTS comity_open_levels AS
SELECT t.task_id,
  CASE t.priority WHEN 'P0' THEN 1 WHEN 'P1' THEN 2 WHEN 'P2' THEN 3 ELSE coalesce(d.level, 4) END AS level
FROM macp_ext_tasks t LEFT JOIN comity_task_details d ON d.task_id = t.task_id
WHERE t.status IN ('pending', 'accepted', 'in-progress', 'blocked');

CREATE TRIGGER IF NOT EXISTS comity_task_lift_added AFTER INSERT ON comity_task_dependencies BEGIN
  INSERT OR REPLACE INTO comity_task_lifts (task_id, depends_on, level)
  SELECT w.task_id, p.task_id, w.level FROM comity_open_levels w, comity_open_levels p
  WHERE w.task_id = NEW.task_id AND p.task_id = NEW.depends_on AND w.level < p.level;
END;

CREATE TRIGGER IF NOT EXISTS comity_task_lift_changed AFTER UPDATE OF status, priority ON macp_ext_tasks
WHEN NEW.priority IS NOT OLD.priority
  OR (NEW.status IN ('pending', 'accepted', 'in-progress', 'blocked'))
    <> (OLD.status IN ('pending', 'accepted', 'in-progress', 'blocked'))
BEGIN
  DELETE FROM comity_task_lifts WHERE task_id = NEW.task_id OR depends_on = NEW.task_id;
  INSERT INTO comity_task_lifts (task_id, depends_on, level)
  SELECT x.task_id, x.depends_on, w.level FROM comity_task_dependencies x
  JOIN comity_open_levels w ON w.task_id = x.task_id JOIN comity_open_levels p ON p.task_id = x.depends_on
  WHERE (x.task_id = NEW.task_id OR x.depends_on = NEW.task_id) AND w.level < p.level;
END;

CREATE TRIGGER IF NOT EXISTS comity_task_lift_leveled AFTER UPDATE OF level ON comity_task_details
WHEN NEW.level IS NOT OLD.level
BEGIN
  DELETE FROM comity_task_lifts WHERE task_id = NEW.task_id OR depends_on = NEW.task_id;
  INSERT INTO comity_task_lifts (task_id, depends_on, level)
  SELECT x.task_id, x.depends_on, w.level FROM comity_task_dependencies x
  JOIN comity_open_levels w ON w.task_id = x.task_id JOIN comity_open_levels p ON p.task_id = x.depends_on
  WHERE (x.task_id = NEW.task_id OR x.depends_on = NEW.task_id) AND w.level < p.level;
END;

INSERT OR REPLACE INTO comity_task_lifts (task_id, depends_on, level)
SELECT x.task_id, x.depends_on, w.level FROM comity_task_dependencies x
JOIN comity_open_levels w ON w.task_id = x.task_id JOIN comity_open_levels p ON p.task_id = x.depends_on
WHERE w.level < p.level;
