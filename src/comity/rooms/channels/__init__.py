"""Channels and messages: the bus (MACP v1.0 sections 2.3 to 2.9)."""
