"""Programs that measure Comity against what SQLite itself can do. ``python -m bench --help``."""
