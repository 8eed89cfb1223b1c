"""``comity demo``: four scripted agents, four real server processes, one kill, and an account read from the file."""
