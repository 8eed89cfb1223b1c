"""MCP: the Model Context Protocol, over stdio and (with the server extra) over HTTP."""
