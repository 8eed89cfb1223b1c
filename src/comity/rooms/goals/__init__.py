"""Goals: what the work is for, as a tree whose progress is that of its tasks (protocol reference section 4.7)."""
