"""Work in progress as facts: which uncommitted change is whose, and what was asked for and is not made yet."""
