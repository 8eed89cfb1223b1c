"""Shared memory: what agents know together (MACP v1.0, reference section 4.4), and the index that finds text."""
