"""Hooks: what agent hosts tell of their agents' turns, and what Comity answers, in each host's own shape."""
