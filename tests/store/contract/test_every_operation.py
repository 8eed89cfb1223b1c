"""Every operation does on a store of another kind what it does on a file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import apsw
import pytest

from comity import Problem, Workspace
from comity.kernel.record import to_json
from comity.rooms import REGISTRY
from comity.testing import World
from tests.sim.edit_scenes import rescue_purge, rescue_restore
from tests.sim.scene import Scene
from tests.sim.test_faults import SCENES
from tests.store.contract.memory import MemoryStore
from tests.worlds import fresh

ON_DISK = (rescue_restore, rescue_purge)  # what they change is no row, and both stores would share it


def content_of(path: str) -> bytes:
    connection = apsw.Connection(path)
    try:
        return connection.serialize("main")
    finally:
        connection.close()


def outcome(workspace: Workspace, scene: Scene) -> Any:
    """What it answers, or the reason of its refusal."""
    try:
        return shape_of(to_json(workspace.call(scene.operation, scene.arguments)))
    except Problem as problem:
        return problem.reason


def shape_of(value: Any) -> Any:
    """An answer without the texts in it, among which there are new ids."""
    if isinstance(value, dict):
        return {key: shape_of(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape_of(item) for item in value]
    return type(value) if isinstance(value, str) else value


@pytest.mark.parametrize("make", [make for make in SCENES if make not in ON_DISK], ids=lambda make: make.__name__)
def test_an_operation_does_the_same_without_a_file(make: Callable[[World], Scene]) -> None:
    with fresh() as world:
        scene = make(world)
        one = scene.workspace
        store = MemoryStore(content=content_of(world.path))
        other = Workspace(store, one.actor, clock=world.clock, root=one.root, observer=one.observer)
        answers = [outcome(workspace, scene) for workspace in (other, one)]
        assert answers[0] == answers[1]
        rereads = REGISTRY.get(scene.operation).effect == "read"
        assert not rereads or store.count == 0, "reading commits nothing"
        store.close()
