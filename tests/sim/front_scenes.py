"""Scenes of announcing and of beginning to work, each in the case in which it writes or reads most."""

from __future__ import annotations

from collections.abc import Callable

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


def catch_up(world: World) -> Scene:
    """With a direct message that is new, one that was told, and a channel message."""
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.message.announce(content="one for @bob")
    bob.message.catch_up()
    ann.message.announce(content="two for @bob")
    return Scene(bob, "message.catch_up", {})


def begin(world: World) -> Scene:
    """With a task that is new."""
    return Scene(world.agent("new", start=False), "session.begin", {"task_title": "x"})


def begin_in_vain(world: World) -> Scene:
    """With a task that somebody has."""
    world.agent("ann").session.begin(task_title="x")
    return Scene(world.agent("new", start=False), "session.begin", {"task_title": " X"})


def _reading(operation: str, **arguments: object) -> Callable[[World], Scene]:
    """Of somebody who holds a task, is written to and may not be alone."""

    def scene(world: World) -> Scene:
        ann, bob = world.agent("ann"), world.agent("bob")
        for agent in (ann, bob):
            agent.session.begin(task_title=agent.actor.agent_id)
        bob.task.add(title="more")
        bob.task.block(task_id="task-002")
        bob.message.announce(content="@ann look")
        return Scene(ann, operation, arguments)

    scene.__name__ = operation
    return scene


SCENES = (
    *(announce, announce_alone, history, catch_up, begin, begin_in_vain),
    _reading("workspace.overview"),
    _reading("workspace.check", assertions=["room_set", "task_claimed", "worktree_active"]),
    _reading("workspace.place"),
    _reading("guide.next"),
)
