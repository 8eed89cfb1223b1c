"""Agents and their sessions: who is here (MACP v1.0 sections 2.2 and 2.9)."""
