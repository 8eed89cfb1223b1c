"""Scenes of jobs: each operation in the case in which it writes most."""

from __future__ import annotations

from pathlib import Path

from comity import Workspace
from comity.testing import FakeMachine, World
from tests.sim.scene import Scene

KIND = "vault.index"


def _asked(world: World) -> tuple[Workspace, str]:
    folder = Path(world.path).parent / "docs"
    folder.mkdir(exist_ok=True)
    ann = world.agent("ann", root=str(folder))
    return ann, ann.vault.index(path=".").job.job_id


def index(world: World) -> Scene:
    return Scene(_asked(world)[0], "vault.index", {"path": "."})


def get(world: World) -> Scene:
    ann, job_id = _asked(world)
    return Scene(ann, "job.get", {"job_id": job_id})


def listed(world: World) -> Scene:
    return Scene(_asked(world)[0], "job.list", {})


def cancel(world: World) -> Scene:
    ann, job_id = _asked(world)
    ann.job.take(kinds=[KIND])
    return Scene(ann, "job.cancel", {"job_id": job_id})


def _left(world: World) -> Workspace:
    """Whose machine has just lost two runners, one of which had three lives."""
    machine = FakeMachine()
    for _ in range(2):
        _asked(world)
    for _ in range(4):
        process = machine.start()
        world.agent("dead", observer=process).job.take(kinds=[KIND])
        machine.kill(process)
    return world.agent("living", observer=machine.start())


def take(world: World) -> Scene:
    """Two jobs are freed, of which one is interrupted, and one is taken."""
    return Scene(_left(world), "job.take", {"kinds": [KIND]})


def reap(world: World) -> Scene:
    return Scene(_left(world), "job.reap", {})


def renew(world: World) -> Scene:
    ann, job_id = _asked(world)
    ann.job.take(kinds=[KIND])
    return Scene(ann, "job.renew", {"job_id": job_id, "epoch": 1, "done": 1, "total": 2, "what": "reading"})


def finish(world: World) -> Scene:
    ann, job_id = _asked(world)
    ann.job.take(kinds=[KIND])
    return Scene(ann, "job.finish", {"job_id": job_id, "epoch": 1, "outcome": "done", "result": "{}"})


def release(world: World) -> Scene:
    scene = finish(world)
    return scene._replace(arguments={"job_id": scene.arguments["job_id"], "epoch": 1, "outcome": "released"})


SCENES = [index, get, listed, cancel, take, reap, renew, finish, release]
