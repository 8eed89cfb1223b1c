"""Dialects: the names that callers know operations by, for every door. Tables and words; nothing here runs anything."""
