"""Scenes of operations that have none written by hand: each is its example, where that means something."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from comity.rooms import REGISTRY
from comity.testing import World
from tests.furnished import arguments_of, furnish, write_files
from tests.sim.scene import Scene

_FOLDER = Path(__file__).parent
_WRITTEN = "".join(
    path.read_text(encoding="utf-8") for path in (*_FOLDER.glob("*_scenes.py"), _FOLDER / "test_faults.py")
)


def of_example(operation: str) -> Callable[[World], Scene]:
    """The scene in which ann calls the operation as its example does."""

    def scene(world: World) -> Scene:
        folder = Path(world.path).parent / "project"
        folder.mkdir()
        write_files(folder)
        ann, bob = (world.agent(name, root=str(folder)) for name in ("ann", "agent-2"))
        return Scene(ann, operation, arguments_of(operation, furnish(ann, bob)))

    scene.__name__ = f"example_of_{operation}"
    return scene


# Whichever operation no scene names.
SCENES = [of_example(name) for name in REGISTRY.names() if f'"{name}"' not in _WRITTEN]
