-- Titles of what is not finished, without case (of ASCII letters) and spaces: whoever adds a task finds the one that is
-- there already without reading the queue.

CREATE INDEX IF NOT EXISTS comity_tasks_title ON macp_ext_tasks(
  lower(replace(replace(replace(replace(title, ' ', ''), char(9), ''), char(10), ''), char(13), '')))
  WHERE status IN ('pending', 'accepted', 'in-progress', 'blocked') AND archived_at IS NULL;
