"""Tasks: work that is handed out, held by one agent at a time, and done once (protocol reference section 4.8)."""
