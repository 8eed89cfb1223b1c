"""MCP over HTTP: sessions and streams around the official SDK's server."""
