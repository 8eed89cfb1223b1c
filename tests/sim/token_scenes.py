"""Operations on tokens that are about to be called."""

from __future__ import annotations

from typing import Any

from comity import Workspace
from comity.rooms.tokens.credentials import digest_of
from comity.testing import World
from tests.sim.scene import Scene


def made(world: World) -> tuple[Workspace, dict[str, Any]]:
    """Whoever made a token an hour ago, and what checks it."""
    boss = world.agent("boss", start=False)
    _, token_id, secret = boss.token.create(role="worker", agent_id="ann", label="laptop").secret.split("_")
    world.clock.advance(3600)
    return boss, {"token_id": token_id, "digest": digest_of(secret)}


def create(world: World) -> Scene:
    return Scene(made(world)[0], "token.create", {"role": "admin", "expires_in_s": 0})


def every(world: World) -> Scene:
    return Scene(made(world)[0], "token.list", {"include_dead": True})


def get(world: World) -> Scene:
    boss, known = made(world)
    return Scene(boss, "token.get", {"token_id": known["token_id"]})


def revoke(world: World) -> Scene:
    boss, known = made(world)
    return Scene(boss, "token.revoke", {"token_id": known["token_id"]})


def check(world: World) -> Scene:
    return Scene(made(world)[0], "token.check", made(world)[1])


def check_expired(world: World) -> Scene:
    boss, known = made(world)
    world.clock.advance(31 * 86_400)
    return Scene(boss, "token.check", known, "token.expired")


def touch(world: World) -> Scene:
    boss, known = made(world)
    return Scene(boss, "token.touch", {"token_ids": [known["token_id"]]})


SCENES = (create, every, get, revoke, check, check_expired, touch)
