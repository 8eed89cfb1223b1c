"""Operations on agents' lives that are about to be called, with something to free."""

from __future__ import annotations

from comity.testing import FakeMachine, World
from tests.sim.scene import Scene


def holding(world: World) -> tuple[FakeMachine, Scene]:
    """Ann, on a machine, with claims, tasks and channels; bob is there, too."""
    machine = FakeMachine()
    process = machine.start()
    ann = world.agent("ann", observer=process)
    bob = world.agent("bob", observer=machine.start())
    ann.claim.acquire(files=["src/a.py", "src/b.py"])
    for title in ("one", "two"):
        ann.task.start(task_id=ann.task.dispatch(title=title).task.task_id)
    ann.channel.join(channel_id="other")
    bob.message.send(destination_agent_id="ann", content="hello")
    return machine, Scene(ann, "session.end", {"reason": "done"})


def end_of_a_holder(world: World) -> Scene:
    return holding(world)[1]


def deactivate(world: World) -> Scene:
    return holding(world)[1]._replace(operation="agent.deactivate")


def delete(world: World) -> Scene:
    return holding(world)[1]._replace(operation="agent.delete")


def sleep(world: World) -> Scene:
    return holding(world)[1]._replace(operation="agent.sleep")


def reap(world: World) -> Scene:
    machine, _ = holding(world)
    machine.processes.clear()
    return Scene(world.agent("cid", observer=machine.start()), "agent.reap", {})


def reap_nobody(world: World) -> Scene:
    return Scene(holding(world)[1].workspace, "agent.reap", {})


def join(world: World) -> Scene:
    """A newcomer, to a place where one of its type is."""
    holding(world)
    newcomer = world.agent("new", start=False)
    return Scene(newcomer, "session.join", {"name": "claude"})


def look_for_dead(world: World) -> Scene:
    return Scene(holding(world)[1].workspace, "agent.dead", {})


def renew(world: World) -> Scene:
    return Scene(holding(world)[1].workspace, "session.renew", {})


def context(world: World) -> Scene:
    return Scene(holding(world)[1].workspace, "agent.context", {})


def pause(world: World) -> Scene:
    return Scene(holding(world)[1].workspace, "workspace.pause", {"reason": "the main branch is broken", "minutes": 5})


def resume(world: World) -> Scene:
    ann = holding(world)[1].workspace
    ann.workspace.pause(reason="the main branch is broken")
    return Scene(ann, "workspace.resume", {})


def claim_while_paused(world: World) -> Scene:
    ann = holding(world)[1].workspace
    ann.workspace.pause()
    return Scene(ann, "claim.acquire", {"files": ["src/c.py"]}, "workspace.paused")


SCENES = (
    *(end_of_a_holder, deactivate, delete, sleep, reap, reap_nobody, join, look_for_dead, renew, context),
    *(pause, resume, claim_while_paused),
)
