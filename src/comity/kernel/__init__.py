"""Floor 0: pure mechanisms. No driver, socket, thread, sleep or real clock."""
