"""Dialects: the names and words in which callers know the operations, for every door."""
