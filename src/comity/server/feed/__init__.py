"""The log as it grows, for everything on the server's event loop that listens."""
