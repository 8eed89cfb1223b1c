"""Programs that measure Comity against what SQLite itself can do. ``python -m bench --help``."""

import os

# Benchmarks send the same content at a pace that no agent has: the loop damper would hold them back.
for _limit in ("COMITY_MAX_HOPS", "COMITY_MAX_PER_MINUTE", "COMITY_REPEAT_S"):
    os.environ.setdefault(_limit, "0")
