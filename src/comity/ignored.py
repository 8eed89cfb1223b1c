"""What git is to leave alone: all of ``.macp`` but what a team shares, and all of ``.masc``.

Two places say so: a file in the folder itself, and ``info/exclude`` of the git folder that all worktrees share, which
no branch can take away.
"""

from __future__ import annotations

import os

from comity.kernel.named_tuple import NamedTuple
from comity.project import FOLDER, locate
from comity.system import files, git_exclude

SHARED = ("comity.toml", ".gitignore")
SERVER_FOLDER = ".masc"
EXCLUDE = git_exclude.NAME
# Of a folder that was not initialised. It hides itself, too: a branch that brings such a file may put it in its place.
_OWN = f"*\n!{SHARED[0]}\n".encode()
_SIGNS = "\\*?[]!# "  # that git takes for more than themselves in a line of its own


class Exclusion(NamedTuple):
    """Lines of the file ``info/exclude`` below a git folder."""

    git_folder: str
    lines: tuple[str, ...]


def exclusion(root: str) -> Exclusion | None:
    """What ``info/exclude`` should say for the workspace at ``root``; None where there is no checkout."""
    place = locate(root)
    if not place.git:
        return None
    inside = os.path.relpath(os.path.realpath(root), place.checkout).replace(os.sep, "/")
    literal = "".join(f"\\{sign}" if sign in _SIGNS else sign for sign in inside)
    way = "/" if inside == "." else f"/{literal}/"
    return Exclusion(place.git, (f"{way}{FOLDER}/*", f"!{way}{FOLDER}/{SHARED[0]}", f"{way}{SERVER_FOLDER}/"))


def keep_out(root: str) -> None:
    """Have git leave the workspace's files alone. Where that cannot be written, ``comity doctor`` says so."""
    try:
        found = exclusion(root)
        if found is not None:
            git_exclude.add(found.git_folder, found.lines)
    except OSError:
        return


def make_folder(root: str) -> None:
    """Make ``.macp``, for its owner's eyes, with the file that keeps it out of git. Raises OSError."""
    if files.make_folder(root, FOLDER):
        files.write_new(root, f"{FOLDER}/.gitignore", _OWN)


def is_kept_out(root: str) -> bool:
    """Whether ``info/exclude`` says what it should, or need not."""
    try:
        found = exclusion(root)
        return found is None or not git_exclude.missing(found.git_folder, found.lines)
    except OSError:
        return False
