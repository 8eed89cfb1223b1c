"""Scenes of guarded edits and git commands: each operation in the case in which it writes most."""

from __future__ import annotations

import os
import subprocess

from comity.testing import World
from tests.sim.scene import Scene

_GIT = ("git", "-c", "user.name=Tess", "-c", "user.email=tess@example.com", "-c", "commit.gpgsign=false")


def _root(world: World) -> str:
    """A repository beside the database, with a commit of a.py, b.py and src/c.py."""
    root = os.path.realpath(os.path.join(os.path.dirname(world.path), "repo"))
    os.makedirs(os.path.join(root, "src"))
    for name in ("a.py", "b.py", "src/c.py"):
        _write(os.path.join(root, name), "1")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "Begin."]):
        subprocess.run([*_GIT, *arguments], cwd=root, check=True, capture_output=True)
    return root


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def check(world: World) -> Scene:
    """One file is free, one must be read again."""
    root = _root(world)
    ann, bob = world.agent("ann", root=root), world.agent("bob", root=root)
    bob.edit.check(files=["a.py"])
    bob.claim.release(files=["**"])
    return Scene(ann, "edit.check", {"files": ["a.py", "b.py"]})


def refused_check(world: World) -> Scene:
    scene = check(world)
    world.agent("cid", root=scene.workspace.actor.root).claim.acquire(files=["src"])
    return scene._replace(arguments={"files": ["src/c.py"]})


def command(world: World) -> Scene:
    """It names files, one of which must be read again, and peers hold others."""
    scene = refused_check(world)
    return scene._replace(operation="command.check", arguments={"command": "sed -i s/1/2/ a.py; cp a.py b.py; make"})


def compare(world: World) -> Scene:
    """A file of a peer has changed."""
    scene = command(world)
    world.clock.advance(300)
    scene.workspace.command.check(command="make")
    _write(os.path.join(scene.workspace.actor.root, "src/c.py"), "2")
    return scene._replace(operation="edit.compare", arguments={"command": "make"})


def held(world: World) -> Scene:
    scene = refused_check(world)
    return scene._replace(operation="edit.held", arguments={"files": ["a.py", "src/c.py"]})


def held_bypassed(world: World) -> Scene:
    return held(world)._replace(arguments={"files": ["src/c.py"], "reason": "asked to"})


def git_check(world: World) -> Scene:
    scene = compare(world)
    return scene._replace(operation="git.check", arguments={"command": "git reset --hard"})


def git_check_bypassed(world: World) -> Scene:
    return git_check(world)._replace(arguments={"command": "git stash", "reason": "asked to"})


def landed(world: World) -> Scene:
    """One edit was made and is kept, one is not coming."""
    scene = check(world)
    root = scene.workspace.actor.root
    ann = world.agent("ann", root=root, database=world.path)
    ann.edit.check(files=["b.py", "src/c.py"])
    _write(os.path.join(root, "b.py"), "2")
    return Scene(ann, "edit.landed", {"over": True})


def _kept(world: World, operation: str) -> Scene:
    """An edit was made and kept, and the file is gone."""
    scene = landed(world)
    scene.workspace.edit.landed(over=True)
    path = os.path.join(scene.workspace.actor.root, "b.py")
    if operation != "rescue.purge":
        _write(path, "3")
    return Scene(scene.workspace, operation, {} if operation == "rescue.purge" else {"file": "b.py"})


def rescue_show(world: World) -> Scene:
    return _kept(world, "rescue.show")


def rescue_diff(world: World) -> Scene:
    return _kept(world, "rescue.diff")


def rescue_restore(world: World) -> Scene:
    scene = _kept(world, "rescue.restore")
    os.unlink(os.path.join(scene.workspace.actor.root, "b.py"))
    return scene


def rescue_purge(world: World) -> Scene:
    return _kept(world, "rescue.purge")


def settled(world: World) -> Scene:
    """One file is as it was committed again."""
    scene = landed(world)
    scene.workspace.edit.landed(over=True)
    _write(os.path.join(scene.workspace.actor.root, "b.py"), "1")
    return Scene(scene.workspace, "work.settle", {})


def _shared_head(world: World) -> str:
    """Bob has work in b.py, and Ann moves HEAD by a command that takes it in."""
    root = _root(world)
    ann, bob = world.agent("ann", root=root), world.agent("bob", root=root)
    bob.edit.check(files=["b.py"])
    _write(os.path.join(root, "b.py"), "2")
    bob.edit.landed(over=True)
    ann.command.check(command="make")
    for arguments in (["checkout", "-q", "-b", "topic"], ["commit", "-q", "-a", "-m", "All."]):
        subprocess.run([*_GIT, *arguments], cwd=root, check=True, capture_output=True)
    return root


def head_moved(world: World) -> Scene:
    """HEAD has moved, and a peer's work is in the commit that it is at now."""
    root = _shared_head(world)
    return Scene(world.agent("ann", root=root), "edit.compare", {"command": "make"})


def head_unknown(world: World) -> Scene:
    """A commit of who has not read that HEAD has moved."""
    root = _shared_head(world)
    world.agent("ann", root=root).edit.compare(command="make")
    return Scene(world.agent("bob", root=root), "command.check", {"command": "git commit -m x -- b.py"})


SCENES = [
    check,
    refused_check,
    command,
    compare,
    held,
    held_bypassed,
    git_check,
    git_check_bypassed,
    landed,
    rescue_show,
    rescue_diff,
    rescue_restore,
    rescue_purge,
    settled,
    head_moved,
    head_unknown,
]
