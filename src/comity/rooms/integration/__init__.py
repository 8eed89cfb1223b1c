"""Integration: finished branches brought home to their base, checked together first, one attempt at a time."""
