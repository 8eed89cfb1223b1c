"""MCP over stdio: one program for each session of an agent host."""
