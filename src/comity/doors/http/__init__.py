"""The network server: its command, its life from start to end, and the one table of its routes."""
