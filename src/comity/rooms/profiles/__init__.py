"""Profiles: roles that an agent can take on (MACP v1.0, reference section 4.6)."""
