"""MCP over HTTP: sessions, streams and lone requests over the protocol's core."""
