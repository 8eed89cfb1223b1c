"""Scenes of announcing and of beginning to work, each in the case in which it writes or reads most."""

from __future__ import annotations

from comity.testing import World
from tests.sim.scene import Scene


def announce(world: World) -> Scene:
    """To one with room, one that refuses and one in another channel, who are mentioned."""
    ann = world.agent("ann")
    world.agent("bob")
    world.agent("cid", max_pending_messages=1)
    world.agent("claude-calm-otter", channel="other")
    ann.message.send(destination_agent_id="cid", content="high", priority="interrupt")
    return Scene(ann, "message.announce", {"content": "hello @bob, @cid and @@claude"})


def announce_alone(world: World) -> Scene:
    """To nobody: the sender's copy is kept."""
    return Scene(world.agent("ann"), "message.announce", {"content": "hello"})


def history(world: World) -> Scene:
    scene = announce(world)
    scene.workspace.call(scene.operation, scene.arguments)
    return scene._replace(operation="message.history", arguments={"limit": 1})


SCENES = (announce, announce_alone, history)
