"""Scenes of file claims: each operation in the case in which it writes most."""

from __future__ import annotations

from comity.testing import World
from tests.sim.scene import Scene


def acquire(world: World) -> Scene:
    """What lapsed is marked, own claims are superseded, one file is a peer's."""
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.claim.acquire(files=["old.py", "older.py"], ttl_seconds=5)
    bob.claim.acquire(files=["theirs.py"])
    ann.claim.acquire(files=["mine.py", "src"])
    world.clock.advance(10)
    return Scene(ann, "claim.acquire", {"files": ["mine.py", "src", "new.py", "theirs.py", "lib/**"], "partial": True})


def refused_claim(world: World) -> Scene:
    scene = acquire(world)
    return scene._replace(arguments={"files": ["*.py"]}, refusal="claim.held")


def renew(world: World) -> Scene:
    return acquire(world)._replace(operation="claim.renew", arguments={"ttl_seconds": 9000})


def release(world: World) -> Scene:
    return acquire(world)._replace(operation="claim.release", arguments={"files": ["**"]})


def listed(world: World) -> Scene:
    return acquire(world)._replace(operation="claim.list", arguments={"files": ["src/a.py", "/etc/passwd"]})


def wait(world: World) -> Scene:
    """Somebody stands in line for a file and a resource, as the last."""
    acquire(world)
    cid = world.agent("cid")
    cid.claim.acquire(files=["res:staging"])
    world.agent("dan").claim.acquire(files=["res:staging"], wait=True)
    return Scene(world.agent("eve"), "claim.acquire", {"files": ["theirs.py", "res:staging"], "wait": True})


def next_turn(world: World) -> Scene:
    """What is released is served to whoever stands in line for it."""
    ann, bob, cid = (world.agent(name) for name in ("ann", "bob", "cid"))
    ann.claim.acquire(files=["a.py", "res:staging"])
    bob.claim.acquire(files=["b.py"])
    cid.claim.acquire(files=["a.py", "res:staging"], wait=True)
    bob.claim.acquire(files=["a.py"], wait=True)
    return Scene(ann, "claim.release", {"files": ["**"]})


SCENES = [acquire, refused_claim, renew, release, listed, wait, next_turn]
