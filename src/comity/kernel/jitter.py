"""Random waiting times, so that processes do not keep step. Loading the standard library's ``random`` takes a start
longer than all that is drawn here.
"""

from __future__ import annotations

import os

_MOST = 2**32 - 1


def between(low: float, high: float) -> float:
    """A random number from ``low`` to ``high``."""
    return low + (high - low) * int.from_bytes(os.urandom(4), "big") / _MOST
