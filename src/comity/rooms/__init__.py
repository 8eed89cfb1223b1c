"""Floor 2: what the house knows, standing in a line; each room may import those before it.

``OPERATIONS`` names every operation and the module that holds it, so that the registry need not import a room to know
what there is. ``tests/test_house.py`` keeps it true.
"""

from __future__ import annotations

from comity.kernel.registry import Registry

OPERATIONS: dict[str, tuple[str, ...]] = {
    "comity.rooms.agents.ops": ("session.end",),
    "comity.rooms.channels.ops": (
        "session.start",
        "channel.join",
        "channel.leave",
        "message.broadcast",
        "message.send",
        "message.poll",
        "message.read",
        "message.ack",
    ),
    "comity.rooms.lifecycle.ops": (
        "agent.list",
        "guide.show",
        "event.list",
        "workspace.status",
        "workspace.prune",
    ),
}

REGISTRY = Registry(OPERATIONS)
