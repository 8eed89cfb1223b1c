"""MCP, the Model Context Protocol, without any I/O: bytes in, bytes out, in every version that Comity speaks."""
