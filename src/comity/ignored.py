"""What git is to leave alone: all of ``.macp`` but what a team shares, and all of ``.masc``.

Two places say so: a file in the folder itself, and ``info/exclude`` of the git folder that all worktrees share, which
no branch can take away.
"""

from __future__ import annotations

import os

from comity.kernel.named_tuple import NamedTuple
from comity.project import FOLDER, locate
from comity.system import files

SHARED = ("comity.toml", ".gitignore")
SERVER_FOLDER = ".masc"
EXCLUDE = "info/exclude"
# Of a folder that was not initialised. It hides itself, too: a branch that brings such a file may put it in its place.
_OWN = f"*\n!{SHARED[0]}\n".encode()
_MAX_BYTES = 1_000_000
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
            _exclude(found)
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
        return found is None or not _missing(found)
    except OSError:
        return False


def _missing(wanted: Exclusion) -> list[str]:
    try:
        text = files.read(wanted.git_folder, EXCLUDE, _MAX_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        text = ""
    there = {line.strip() for line in text.splitlines()}
    return [line for line in wanted.lines if line not in there and f"!{line}" not in there]


def _exclude(wanted: Exclusion) -> None:
    missing = _missing(wanted)
    if not missing:
        return
    files.make_folder(wanted.git_folder, "info", 0o777)
    descriptor = files.open_file(wanted.git_folder, EXCLUDE, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o666)
    try:
        size = os.fstat(descriptor).st_size
        lead = "\n" if size and os.pread(descriptor, 1, size - 1) != b"\n" else ""
        files.write_all(descriptor, (lead + "".join(f"{line}\n" for line in missing)).encode())
    finally:
        os.close(descriptor)
