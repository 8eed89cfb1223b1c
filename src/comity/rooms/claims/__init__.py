"""File claims: who works on which files, and whom that keeps out (protocol reference section 4.3)."""
