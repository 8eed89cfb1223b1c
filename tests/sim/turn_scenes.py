"""Operations of turns that are about to be called, with something to say."""

from __future__ import annotations

from comity import Workspace
from comity.kernel.scope import HostSession, Limits
from comity.testing import FakeMachine, World
from tests.sim.scene import Scene

_LONG = "The lexer is done and its tests pass; the parser is next, and after that the printer. " * 12


def hooked(world: World, agent_id: str, machine: FakeMachine | None = None, subagent: str = "") -> Workspace:
    """The workspace of a hook of a host's session called ``agent_id``; nothing is registered yet."""
    made = machine or FakeMachine()
    observer = made.start()
    host = HostSession("claude-code", agent_id, subagent, observer.pid, observer.presence.started)
    name = f"claude-{agent_id[-4:]}"
    return world.agent(agent_id, start=False, observer=observer, host=host, name=name, session_id=f"hook:{agent_id}")


def told(world: World) -> tuple[Workspace, Workspace]:
    """Ann's hook, and bob who has sent her one of each: short, long, urgent, to be acknowledged, expired, malformed."""
    ann, bob = hooked(world, "ann"), world.agent("bob")
    ann.turn.start()
    bob.message.send(destination_agent_id="ann", content="gone soon", ttl_seconds=1)
    world.clock.advance(3)
    bob.message.send(destination_agent_id="ann", content="short")
    bob.message.send(destination_agent_id="ann", content=_LONG, priority="steering")
    bob.message.send(destination_agent_id="ann", content="stop the release", priority="interrupt")
    bob.message.send(destination_agent_id="ann", content="read this", priority="interrupt", ack_level="processed")
    return ann, bob


def identify(world: World) -> Scene:
    return Scene(hooked(world, "ann"), "session.identify", {})


def start(world: World) -> Scene:
    ann, bob = told(world)
    bob.claim.acquire(files=["src/a.py"])
    ann.turn.written(injection_id=ann.turn.next().injection_id)
    return Scene(ann, "turn.start", {"source": "compact"})


def start_anew(world: World) -> Scene:
    """In a process where a server waits for its session: the agent is the server's."""
    machine = FakeMachine()
    server = machine.start()
    supposed = HostSession("", "", "", 77, "tick", hearsay=True, server="s1")
    world.agent("random", observer=server, host=supposed)
    hook = machine.start()
    host = HostSession("codex", "thread-1", "", 77, "tick")
    return Scene(world.agent("thread-1", start=False, observer=hook, host=host), "turn.start", {"source": "startup"})


def next_turn(world: World) -> Scene:
    return Scene(told(world)[0], "turn.next", {"moved": True})


def next_turn_seen(world: World) -> Scene:
    ann, bob = told(world)
    ann.turn.written(injection_id=ann.turn.next().injection_id)
    bob.message.send(destination_agent_id="ann", content="one more")
    return Scene(ann, "turn.next", {"moved": True})


def written(world: World) -> Scene:
    ann, _ = told(world)
    return Scene(ann, "turn.written", {"injection_id": ann.turn.next().injection_id})


def stop(world: World) -> Scene:
    ann, bob = told(world)
    ann.turn.written(injection_id=ann.turn.next().injection_id)
    bob.message.send(destination_agent_id="ann", content="and this", priority="interrupt")
    return Scene(ann, "turn.stop", {})


def idle(world: World) -> Workspace:
    """Ann's hook in a turn that has ended, and bob's interrupt that came afterwards."""
    ann, bob = hooked(world, "ann"), world.agent("bob")
    ann.turn.start()
    ann.turn.stop(rests=True)
    bob.message.send(destination_agent_id="ann", content="stop the release", priority="interrupt")
    return ann


def rest(world: World) -> Scene:
    ann = hooked(world, "ann")
    ann.turn.start()
    return Scene(ann, "turn.stop", {"rests": True})


def go_on(world: World) -> Scene:
    ann = idle(world)
    ann.turn.wake()
    return Scene(ann, "turn.next", {})


def watch(world: World) -> Scene:
    return Scene(idle(world), "turn.watch", {"watcher": "w", "rests": True})


def wake(world: World) -> Scene:
    ann = idle(world)
    ann.turn.watch(watcher="w")
    return Scene(ann, "turn.wake", {"watcher": "w"})


def leave(world: World) -> Scene:
    """With a subagent, and a claim that a hook made."""
    ann, _ = told(world)
    assert ann.actor.host is not None
    below = ann.acting_as(ann.actor._replace(host=ann.actor.host._replace(subagent_id="explorer")))
    below.turn.start()
    ann.edit.check(files=["src/a.py"])
    return Scene(ann, "session.leave", {"reason": "exit"})


def move_over(world: World) -> Scene:
    """A server finds out that its host's session is another agent, which a hook told of first."""
    machine = FakeMachine()
    server = world.agent("random", observer=machine.start())
    server.claim.acquire(files=["src/a.py"])
    server.task.start(task_id=server.task.dispatch(title="one").task.task_id)
    bob = world.agent("bob")
    bob.message.broadcast(content="to all")
    bob.message.send(destination_agent_id="random", content="to one")
    supposed = HostSession("", "", "", 77, "tick", hearsay=True, server="s1")
    asking = server.acting_as(server.actor._replace(host=supposed))
    asking.session.identify(register=False)
    hook = HostSession("codex", "thread-1", "", 78, "tick")
    world.agent("thread-1", start=False, observer=machine.start(), host=hook).turn.start()
    moved = asking.actor._replace(host=supposed._replace(pid=78))
    return Scene(asking.acting_as(moved), "session.identify", {"register": False})


def receipts(world: World) -> Scene:
    ann, bob = told(world)
    ann.turn.written(injection_id=ann.turn.next().injection_id)
    return Scene(bob, "receipt.list", {})


def counted(world: World) -> Scene:
    """A message that the loop damper counts."""
    ann = world.agent("ann", limits=Limits(5, 5, 30), observer=FakeMachine().start(program="claude-code"))
    world.agent("bob").message.send(destination_agent_id="ann", content="question")
    return Scene(ann, "message.send", {"destination_agent_id": "bob", "content": "answer"})


def held_back(world: World) -> Scene:
    ann = world.agent("ann", limits=Limits(5, 1, 30), observer=FakeMachine().start(program="claude-code"))
    world.agent("bob")
    ann.message.send(destination_agent_id="bob", content="one")
    return Scene(ann, "message.send", {"destination_agent_id": "bob", "content": "two"}, "message.too_often")


SCENES = (
    receipts,
    counted,
    held_back,
    identify,
    start,
    start_anew,
    next_turn,
    next_turn_seen,
    written,
    stop,
    rest,
    go_on,
    watch,
    wake,
    leave,
    move_over,
)
