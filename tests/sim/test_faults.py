"""Every statement of every operation fails once: the file stays as it was, and a retry succeeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from comity import Problem
from comity.kernel.problem import Unavailable
from comity.rooms import OPERATIONS
from comity.store.sqlite import SqliteStore
from comity.testing import World
from tests.original import Original
from tests.rooms.channels.rows import put
from tests.sim import (
    claim_scenes,
    edit_scenes,
    example_scenes,
    front_scenes,
    job_scenes,
    knowledge_scenes,
    lifecycle_scenes,
    task_scenes,
    token_scenes,
    turn_scenes,
    worktree_scenes,
)
from tests.sim.conftest import Fault
from tests.sim.scene import Scene
from tests.wire_format import check, dump, rows
from tests.worlds import fresh


def first_start(world: World) -> Scene:
    return Scene(world.agent("new", start=False), "session.start", {"interest_tags": ["a"]})


def takeover(world: World) -> Scene:
    """With a claim and a task of the old session."""
    old = Original(world.path, "ann", "ann-old", world.clock)
    old.register()
    old.join("main")
    old.claim("src/a.py")
    old.close()
    rows(
        world.path,
        "INSERT INTO macp_ext_tasks (task_id, title, dispatcher_agent_id, assigned_agent_id, assigned_session_id,"
        " created_at, updated_at) VALUES ('t', 't', 'ann', 'ann', 'ann-old', '', '')",
    )
    return Scene(world.agent("ann", start=False), "session.start", {})


def end(world: World) -> Scene:
    ann = world.agent("ann")
    ann.channel.join(channel_id="other")
    return Scene(ann, "session.end", {"reason": "done"})


def join(world: World) -> Scene:
    return Scene(world.agent("ann"), "channel.join", {"channel_id": "brand new"})


def leave(world: World) -> Scene:
    return Scene(world.agent("ann"), "channel.leave", {"channel_id": "main"})


def broadcast(world: World) -> Scene:
    """To one with room, one who must drop something, one who refuses."""
    ann = world.agent("ann")
    for name in ("bob", "cid", "dan"):
        world.agent(name, max_pending_messages=1 if name != "bob" else 9)
    ann.message.send(destination_agent_id="cid", content="low", priority="info")
    ann.message.send(destination_agent_id="dan", content="high", priority="interrupt")
    return Scene(ann, "message.broadcast", {"content": "hello"})


def send(world: World) -> Scene:
    ann, _ = world.agent("ann"), world.agent("bob", max_pending_messages=1)
    ann.message.send(destination_agent_id="bob", content="low", priority="info")
    return Scene(ann, "message.send", {"content": "hello", "destination_agent_id": "bob"})


def refused_send(world: World) -> Scene:
    ann, _ = world.agent("ann"), world.agent("bob", max_pending_messages=1)
    ann.message.send(destination_agent_id="bob", content="high", priority="interrupt")
    arguments = {"content": "hello", "destination_agent_id": "bob"}
    return Scene(ann, "message.send", arguments, "MACP_ERR_QUEUE_FULL_REJECT_INCOMING")


def poll(world: World) -> Scene:
    """Something expires, something is malformed, something is too large, something is handed out."""
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.message.send(destination_agent_id="bob", content="short-lived", ttl_seconds=1)
    world.clock.advance(5)
    put(world.path, context_json="broken", timestamp=world.clock.now().iso)
    for content in ("x" * 2000, "y" * 60, "z" * 60):
        ann.message.broadcast(content=content)
    return Scene(bob, "message.poll", {"budget_bytes": 100})


def ack(world: World) -> Scene:
    ann, bob = world.agent("ann"), world.agent("bob")
    sent = ann.message.send(destination_agent_id="bob", content="hello")
    return Scene(bob, "message.ack", {"delivery_id": sent.delivery_ids[0]})


def read(world: World) -> Scene:
    scene = ack(world)
    return scene._replace(operation="message.read")


def prune(world: World) -> Scene:
    scene = poll(world)
    scene.workspace.message.poll()
    world.agent("bob").session.end()
    world.clock.advance(90 * 86400)
    return Scene(world.agent("ann"), "workspace.prune", {})


def reading(operation: str) -> Callable[[World], Scene]:
    def scene(world: World) -> Scene:
        return poll(world)._replace(operation=operation, arguments={})

    scene.__name__ = operation
    return scene


SCENES = [
    *(first_start, takeover, end, join, leave, broadcast, send, refused_send, poll, ack, read, prune),
    *(reading(name) for name in ("agent.list", "event.list", "workspace.status", "guide.show")),
    *claim_scenes.SCENES,
    *edit_scenes.SCENES,
    *front_scenes.SCENES,
    *job_scenes.SCENES,
    *knowledge_scenes.SCENES,
    *lifecycle_scenes.SCENES,
    *task_scenes.SCENES,
    *token_scenes.SCENES,
    *turn_scenes.SCENES,
    *worktree_scenes.SCENES,
    *example_scenes.SCENES,
]


# What a peer is known to hold is refused though nothing can be written.
ANYWAY = ("edit.check", "edit.held", "git.check", "command.check")


def outcome(scene: Scene) -> str | None:
    """The refusal's reason, or None when it worked."""
    try:
        scene.workspace.call(scene.operation, scene.arguments)
    except Problem as problem:
        return problem.reason
    return None


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("make", SCENES, ids=lambda make: make.__name__)
def test_a_failed_statement_changes_nothing(fault: Fault, make: Callable[[World], Scene], lasting: bool) -> None:
    with fresh() as world:
        scene = make(world)
        before = dump(world.path)
        for n in range(1, 200):
            fault.arm(n, lasting=lasting)
            reason = outcome(scene)
            struck = fault.struck
            fault.disarm()
            if not struck:
                assert reason == scene.refusal, "an example that works, or a scene in tests/sim?"
                break
            stands = reason is None and scene.operation in ANYWAY
            assert stands or reason == ("store.failed" if struck[0] != "ROLLBACK" else scene.refusal), struck
            assert dump(world.path) == before, struck
            check(world.path)
        else:
            pytest.fail("an operation of 200 statements?")
        assert n > 1 or scene.operation in ("guide.show", "workspace.place")
        check(world.path)


def test_every_operation_has_its_scene() -> None:
    held = set()
    for make in SCENES:
        with fresh() as world:
            held.add(make(world).operation)
    assert held == {name for names in OPERATIONS.values() for name in names}


def statements(fault: Fault) -> Iterator[int]:
    """Arms the fault at every statement in turn, until one try meets no fault any more."""
    for n in range(1, 200):
        fault.arm(n)
        yield n
        if not fault.struck:
            return
        fault.disarm()


def test_opening_a_new_file_fails_at_every_statement(fault: Fault, tmp_path: Path) -> None:
    path, count = tmp_path / "new.macp.db", "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"
    SqliteStore(tmp_path / "whole.db").close()
    whole = rows(tmp_path / "whole.db", count)
    for n in statements(fault):
        try:
            SqliteStore(path).close()
        except Unavailable:
            fault.disarm()
            check(path)
            assert rows(path, count) in ([(0,)], whole), f"half a schema after statement {n}"
    fault.disarm()
    with World(path) as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        ann.message.broadcast(content="it works")
        assert bob.message.poll().deliveries
    check(path)


def test_a_commit_that_fails_rolls_back(fault: Fault) -> None:
    with fresh() as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        before = dump(world.path)
        last: list[str] = []
        for n in statements(fault):
            try:
                ann.message.broadcast(content=f"try {n}")
            except Unavailable:
                last = fault.struck
        fault.disarm()
        assert last == ["COMMIT"]
        assert len(bob.message.poll().deliveries) == 1
        assert len(dump(world.path)["messages"]) == len(before["messages"]) + 1
