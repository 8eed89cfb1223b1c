"""The server: one listener for HTTP/1.1 and HTTP/2, what guards it, and the one table of its routes."""
