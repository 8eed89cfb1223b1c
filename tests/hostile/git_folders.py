"""Git folders that the repository brings, and git folders whose files are no files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.hostile.git_keys import EVERY_KEY, READ, arm, ground
from tests.hostile.registry import hostile
from tests.hostile.world import World, clear

_HUGE_BYTES = 300_000_000
_LOOKING = {key: text for key, text in READ.items() if "partialClone" not in text}


def _nested(world: World, folder: Path, *, bare: bool, keys: dict[str, str]) -> None:
    """A project of its own, in which a peer holds folders, with a git folder whose config runs programs."""
    tree = folder / "wt" if bare else folder
    ground(world, tree)
    arm(world, tree, tree / ".git", keys, "nested")
    if bare:
        for inner in (tree / ".git").iterdir():
            shutil.move(str(inner), folder / inner.name)
        (tree / ".git").rmdir()
        (folder / "config.worktree").write_text("[core]\n\tbare = true\n")
        with (folder / "config").open("a") as file:
            file.write("[core]\n\tworktree = wt\n")
    world.project(folder, held=("**/*.txt", "wt", "src"))


@hostile(within=("docs/evil/wt", "docs/evil"), asks=True)
def bare_repository_inside(folder: Path, world: World) -> None:
    """F3: a tracked folder is itself a git folder with filters, a work tree, and a peer's claims."""
    _nested(world, folder / "docs" / "evil", bare=True, keys=_LOOKING)
    world.track(folder / "docs" / "evil")


@hostile(within=("docs/evil/wt", "docs/evil"), asks=True, few=True)
def plain_bare_repository_inside(folder: Path, world: World) -> None:
    """A tracked folder is a bare git folder that says so in its config."""
    evil = folder / "docs" / "evil"
    _nested(world, evil, bare=True, keys={"filter.clean": READ["filter.clean"]})
    with (evil / "config").open("a") as file:
        file.write("[core]\n\tbare = true\n")
    world.track(evil)


@hostile(within=("vendor/lib", "vendor/lib/src"), asks=True)
def git_folder_inside(folder: Path, world: World) -> None:
    """An unpacked archive brought a checkout with a git folder whose config runs programs."""
    _nested(world, folder / "vendor" / "lib", bare=False, keys=_LOOKING)


@hostile(within=("vendor/lib",), asks=True, few=True)
def git_folder_inside_with_every_key(folder: Path, world: World) -> None:
    """The same with every key that can have a program run."""
    keys = {key: text for key, text in EVERY_KEY.items() if "partialClone" not in text and key != "core.worktree"}
    _nested(world, folder / "vendor" / "lib", bare=False, keys=keys)


@hostile(within=("vendor/lib",), asks=True)
def git_file_inside(folder: Path, world: World) -> None:
    """A file .git in a folder names a tracked folder as its git folder, whose config runs programs."""
    lib, hidden = folder / "vendor" / "lib", folder / "docs" / "hidden"
    _nested(world, lib, bare=False, keys=_LOOKING)
    hidden.parent.mkdir()
    shutil.move(str(lib / ".git"), hidden)
    (lib / ".git").write_text("gitdir: ../../docs/hidden\n")


@hostile(within=("vendor/lib",), asks=True)
def git_file_leads_out(folder: Path, world: World) -> None:
    """A file .git in a folder names the git folder of the user's other project."""
    lib = world.folder / "vendor" / "lib"
    world.write(lib / "src" / "words.txt", "words\n")
    world.write(lib / ".git", f"gitdir: {world.other / '.git'}\n")
    world.project(lib)


@hostile(within=("vendor/lib",), asks=True, few=True)
def git_file_is_a_pipe(folder: Path, world: World) -> None:
    """A folder's .git is a pipe."""
    world.write(folder / "vendor" / "lib" / "words.txt", "words\n")
    world.fifo(folder / "vendor" / "lib" / ".git")


@hostile(within=("vendor/lib",), asks=True, few=True)
def git_file_is_a_device(folder: Path, world: World) -> None:
    """A folder's .git is a link to /dev/zero."""
    world.write(folder / "vendor" / "lib" / "words.txt", "words\n")
    world.link(folder / "vendor" / "lib" / ".git", "/dev/zero")


@hostile(within=("lib",), asks=True)
def submodule_that_runs(folder: Path, world: World) -> None:
    """A submodule whose git folder's config runs programs."""
    _nested(world, folder / "lib", bare=False, keys=_LOOKING)
    modules = folder / ".git" / "modules"
    modules.mkdir()
    shutil.move(str(folder / "lib" / ".git"), modules / "lib")
    (folder / "lib" / ".git").write_text("gitdir: ../.git/modules/lib\n")
    with (modules / "lib" / "config").open("a") as file:
        file.write("[core]\n\tworktree = ../../../lib\n")
    world.write(folder / ".gitmodules", '[submodule "lib"]\n\tpath = lib\n\turl = ./lib\n')


@hostile(within=("docs/evil",), asks=True, few=True)
def common_folder_elsewhere(folder: Path, world: World) -> None:
    """A file .git and its commondir claim to be a linked worktree of the other project."""
    evil = folder / "docs" / "evil"
    world.write(evil / "words.txt", "words\n")
    world.write(evil / ".git", "gitdir: ../private\n")
    world.write(folder / "docs" / "private" / "commondir", f"{world.other / '.git'}\n")
    world.write(folder / "docs" / "private" / "HEAD", "ref: refs/heads/m\n")
    world.write(folder / "docs" / "private" / "gitdir", f"{evil / '.git'}\n")


@hostile(asks=True)
def checkout_is_a_worktree_of_another(folder: Path, world: World) -> None:
    """The checkout's own .git is a file that makes it a linked worktree of the other project."""
    shutil.move(str(folder / ".git"), folder / "private")
    (folder / "private" / "commondir").write_text(f"{world.other / '.git'}\n")
    (folder / ".git").write_text("gitdir: private\n")


def _git_file_is(world: World, name: str, how: str) -> None:
    path = world.folder / ".git" / name
    if how == "pipe":
        world.fifo(path)
    elif how == "zero":
        world.link(path, "/dev/zero")
    else:
        clear(path)
        with path.open("wb") as file:
            os.truncate(file.fileno(), _HUGE_BYTES)


@hostile(asks=True, few=True)
def index_is_a_pipe(folder: Path, world: World) -> None:
    """The git folder's index is a pipe."""
    _git_file_is(world, "index", "pipe")


@hostile(asks=True, few=True)
def index_is_huge(folder: Path, world: World) -> None:
    """The git folder's index is 300 MB long."""
    _git_file_is(world, "index", "huge")


@hostile(asks=True, few=True)
def config_is_a_pipe(folder: Path, world: World) -> None:
    """The git folder's config is a pipe."""
    _git_file_is(world, "config", "pipe")


@hostile(asks=True, few=True)
def config_is_a_device(folder: Path, world: World) -> None:
    """The git folder's config is a link to /dev/zero."""
    _git_file_is(world, "config", "zero")


@hostile(asks=True, few=True)
def head_is_a_pipe(folder: Path, world: World) -> None:
    """The git folder's HEAD is a pipe."""
    _git_file_is(world, "HEAD", "pipe")


@hostile(asks=True, few=True)
def common_folder_is_a_pipe(folder: Path, world: World) -> None:
    """The git folder's commondir is a pipe."""
    _git_file_is(world, "commondir", "pipe")


@hostile(asks=True, few=True)
def packed_refs_is_a_pipe(folder: Path, world: World) -> None:
    """The git folder's packed-refs is a pipe."""
    world.git("pack-refs", "--all")
    _git_file_is(world, "packed-refs", "pipe")


@hostile(asks=True, few=True)
def included_pipe(folder: Path, world: World) -> None:
    """The git folder's config includes a pipe."""
    world.fifo(folder / "docs" / "pipe")
    with (folder / ".git" / "config").open("a") as file:
        file.write(f"[include]\n\tpath = {folder / 'docs' / 'pipe'}\n")


@hostile("info/exclude", doors=("hooks", "doctor", "init"), few=True)
def exclude_is_a_link(folder: Path, world: World) -> None:
    """The git folder's info/exclude is a link to the user's .bashrc."""
    world.link(folder / ".git" / "info" / "exclude", world.bashrc)


@hostile("info/exclude", doors=("hooks", "doctor", "init"), few=True)
def exclude_is_a_pipe(folder: Path, world: World) -> None:
    """The git folder's info/exclude is a pipe."""
    world.fifo(folder / ".git" / "info" / "exclude")


@hostile(doors=("hooks", "doctor", "init"), few=True, asks=True)
def ignore_file_is_a_pipe(folder: Path, world: World) -> None:
    """The checkout's .gitignore and .gitattributes are pipes."""
    world.fifo(folder / ".gitignore")
    world.fifo(folder / ".gitattributes")


@hostile(doors=("hooks", "doctor", "init"), few=True, asks=True)
def objects_elsewhere(folder: Path, world: World) -> None:
    """The git folder borrows objects from a pipe and from the other project."""
    info = folder / ".git" / "objects" / "info"
    info.mkdir(exist_ok=True)
    world.fifo(folder / "docs" / "pipe")
    (info / "alternates").write_text(f"{world.other / '.git/objects'}\n{folder / 'docs' / 'pipe'}\n")
