"""Edits: whether an agent may change a file now, asked before each change of it."""
