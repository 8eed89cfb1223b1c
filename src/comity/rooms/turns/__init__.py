"""Turns: what reaches an agent inside its loop, between two of its tool calls."""
