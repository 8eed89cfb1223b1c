"""MCP over HTTP: sessions, streams and single requests around the protocol that stdio speaks, too."""
