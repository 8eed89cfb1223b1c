"""Worktrees: a checkout of its own for each task, whose it is, what is in it, and how it goes without losing work."""
