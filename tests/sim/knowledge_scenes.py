"""Scenes of memory, profiles, vault and searches: each operation in the case in which it writes most.

Searches have a current index and the folder is unchanged, so that each is one transaction; what happens between
several is tested with the rooms.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from comity.testing import World
from tests.sim.scene import Scene


def set_memory(world: World) -> Scene:
    """One's own old value is archived, another's identical one refreshed."""
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.memory.set(key="k", value="old", scope="channel")
    bob.memory.set(key="k", value="new", scope="channel")
    return Scene(ann, "memory.set", {"key": "k", "value": "new", "scope": "channel", "tags": ["t"]})


def set_new_memory(world: World) -> Scene:
    scene = set_memory(world)
    return scene._replace(arguments={**scene.arguments, "value": "newest"})


def delete_memory(world: World) -> Scene:
    return set_memory(world)._replace(operation="memory.delete", arguments={"key": "k", "scope": "channel"})


def resolve_memory(world: World) -> Scene:
    arguments = {"key": "k", "scope": "channel", "chosen_value": "new"}
    return set_memory(world)._replace(operation="memory.resolve", arguments=arguments)


def register_profile(world: World) -> Scene:
    arguments = {"slug": "s", "name": "n", "role": "r", "skills": [{"id": "a", "name": "b"}]}
    return Scene(world.agent("ann"), "profile.register", arguments)


def register_vault(world: World) -> Scene:
    folder = Path(world.path).parent / "docs"
    folder.mkdir()
    (folder / "a.md").write_text("# New things")
    os.utime(folder / "a.md", (1, 1))
    ann = world.agent("ann", root=str(folder))
    ann.vault.register(path=".")
    return Scene(ann, "vault.register", {"path": "."})


def reading(operation: str, **arguments: object) -> Callable[[World], Scene]:
    def scene(world: World) -> Scene:
        set_memory(world)
        register_profile(world).workspace.profile.register(slug="s", name="n", role="r")
        made = register_vault(world).workspace
        made.context.query(query="new")
        return Scene(made, operation, arguments)

    scene.__name__ = operation + ("_ranked" if "rank" in arguments else "")
    return scene


SCENES = [
    *(set_memory, set_new_memory, delete_memory, resolve_memory, register_profile, register_vault),
    reading("memory.get", key="k"),
    reading("memory.search", query="new"),
    reading("memory.search", query="new", rank=True),
    reading("memory.list"),
    reading("memory.history", key="k", scope="channel"),
    reading("profile.get", slug="s"),
    reading("profile.list"),
    reading("profile.find", skill_tag="t"),
    reading("vault.search", query="new"),
    reading("vault.search", query="new", rank=True),
    reading("vault.get", path="a.md"),
    reading("vault.list"),
    reading("context.query", query="new things a"),
    reading("search.find", query="new things"),
]
