"""Command lines of a shell, read without running them: commands, wrappers around them, and what they write."""
