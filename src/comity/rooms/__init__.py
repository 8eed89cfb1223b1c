"""Floor 2: what Comity knows, standing in a line; each room may import those before it.

``operations`` names every operation and the module that holds it, so that the registry need not import a room to know
what there is. ``make generate`` finds them in the source.
"""

from __future__ import annotations

from comity.kernel.registry import Registry
from comity.rooms.operations import OPERATIONS

__all__ = ["OPERATIONS", "REGISTRY"]

REGISTRY = Registry(OPERATIONS)
