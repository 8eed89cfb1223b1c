"""Live events: server-sent events and WebSockets over the feed's hub."""
