"""``comity demo``: four scripted agents, four real server processes, tasks and files, one kill, and an account."""
