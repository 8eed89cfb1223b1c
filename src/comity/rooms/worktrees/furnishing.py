"""What a new worktree needs besides what git tracks, so that agents can begin in it at once.

Two things are brought along: the files that `comity init` wrote in the main checkout and git does not track, written
anew for this checkout, so that nothing else that stands in them comes along; and untracked files that a
``.worktreeinclude`` of the main checkout names (its lines are gitignore patterns), for whoever wants that.
"""

from __future__ import annotations

import os
import sys

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict
from comity.kernel.quoting import quoted
from comity.kernel.scope import Actor
from comity.kernel.text import read_object
from comity.rooms.worktrees import brought
from comity.system import files, processes
from comity.system.git_look import GitLook
from comity.system.repository import Repository

INCLUDE = ".worktreeinclude"
MOST_FILES, MOST_BYTES = 500, 200_000_000
_INIT_S = 60.0
_TRIES = 5
_MOST_SAID = 100_000


class Furnished(NamedTuple):
    """Files that were copied, what cannot be done, and all that came along, with what stands for their content."""

    copied: list[str]
    notes: list[str]
    brought: dict[str, str]


def furnish(actor: Actor, there: Repository, path: str) -> Furnished:
    """Bring along what belongs there. What is there stays, so it may be done again."""
    notes: list[str] = []
    copied = _include(there, path, notes)
    written = _init(actor, path, notes)
    if os.path.lexists(os.path.join(path, ".gitmodules")):
        notes.append("It has submodules, which are not checked out: `git submodule update --init` there.")
    return Furnished(copied, notes, {name: brought.digest(path, name) for name in (*copied, *written)})


def filtered(path: str, off: list[str]) -> str:
    """What a worktree is told in which filters were not run."""
    names = ", ".join(map(quoted, off))
    return (
        f"Git's filters ({names}) were not run, so files that they make hold what git stores (pointers, for git-lfs). "
        f"If this project needs them, run `git checkout -- .` or `git lfs pull` in {quoted(path)} yourself."
    )


def _include(there: Repository, path: str, notes: list[str]) -> list[str]:
    listing = os.path.join(there.checkout, INCLUDE)
    if there.bare or not os.path.isfile(listing) or os.path.islink(listing):
        return []
    with GitLook(there) as look:
        said = look.ask("ls-files", "-z", "--others", "--ignored", f"--exclude-from={listing}")
    names = [name for name in (said or "").split("\0") if name and not name.startswith((".macp/", ".worktrees/"))]
    copied: list[str] = []
    left = MOST_BYTES
    for name in names:
        source = os.path.join(there.checkout, name)
        try:
            size = os.lstat(source).st_size
            if len(copied) >= MOST_FILES or size > left:
                notes.append(f"{INCLUDE} names more than {MOST_FILES} files or 200 MB: {quoted(name)} stayed behind.")
                break
            if _copy(there.checkout, name, path):
                copied.append(name)
                left -= size
        except OSError as error:
            notes.append(f"{quoted(name)} was not copied: {error.strerror}.")
    return copied


def _copy(checkout: str, name: str, path: str) -> bool:
    """Copy one regular file with its permissions, unless something is there; whether it was."""
    mode = os.lstat(os.path.join(checkout, name)).st_mode & 0o777
    data = files.read(checkout, name, MOST_BYTES)
    _take_back(path, name, data)
    parts = name.split("/")
    for count in range(1, len(parts)):
        files.make_folder(path, "/".join(parts[:count]), 0o777)
    return files.write_new(path, name, data, mode)


def _take_back(path: str, name: str, data: bytes) -> None:
    """Take away what a killed process copied by half."""
    try:
        there = files.read(path, name, MOST_BYTES)
    except OSError:
        return
    if len(there) < len(data) and data.startswith(there):
        os.unlink(os.path.join(path, name))


def _init(actor: Actor, path: str, notes: list[str]) -> list[str]:
    """Have the agent hosts that are set up in the main checkout set up there, too; the files that are theirs."""
    if not os.path.isfile(os.path.join(actor.root, ".macp", "init.json")):
        return []
    arguments = (sys.executable, "-P", "-m", "comity", "init", "--like-main", "--json")
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    tries = 0
    while True:
        ended = processes.run(
            arguments, folder=path, environment=environment, most_bytes=_MOST_SAID, most_s=_INIT_S, errors=True
        )
        said = ended.output.decode("utf-8", "replace")
        if (ended.how, ended.code) == ("ended", 0):
            return _written(said)
        tries += 1
        if ended.code != Conflict.exit_code or tries == _TRIES:  # one of another worktree wrote the record meanwhile
            break
    lines = said.strip().splitlines()
    told = quoted(lines[-1], 200) if lines else ended.how
    notes.append(f"The agent hosts could not be set up there ({told}): run `comity init` in it.")
    return []


def _written(said: str) -> list[str]:
    """The files of the worktree that `comity init` says that it wrote."""
    found = (read_object(said) or {}).get("files")
    items = found if isinstance(found, list) else []
    names = [str(one.get("file")) for one in items if isinstance(one, dict) and one.get("written")]
    return [name for name in names if not name.startswith(".macp/")]
