"""Git repositories as they lie on the disk, read and never run: folders, pointers, configuration.

Everything read here may be a stranger's: only regular files count, up to a bound, and a pipe is not waited for. Links
are followed, as git follows them (gitrepository-layout(5)). What a configuration includes is not read.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable

from comity.kernel.named_tuple import NamedTuple
from comity.system.files import drained

MAX_CONFIG_BYTES = 1_000_000
CHECKOUTS = "comity-checkouts"  # a file in the git folder: the names of its checkouts
_MAX_POINTER_BYTES = 4096
_AT_ONCE = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
_YES = {"true", "yes", "on", "1"}

Settings = dict[str, str]  # ``section.key`` or ``section.name.key``, section and key in lower case


class Repository(NamedTuple):
    """The repository of a checkout, its paths absolute and without links.

    ``private`` is the git folder of this checkout (HEAD, index), ``common`` the one that all worktrees share. A bare
    repository has itself in place of a checkout.
    """

    checkout: str
    private: str
    common: str
    bare: bool = False


def around(start: str | os.PathLike[str]) -> Repository | None:
    """The repository that git would find from a folder; None where there is none, or a broken one."""
    folders = upward(os.path.realpath(start))
    while found := top_among(folders):
        folder, bare = found
        if bare:
            return Repository(folder, folder, folder, bare=True)
        private = git_folder(folder, shared=False)
        if private is not None and is_git_folder(private):
            return Repository(folder, private, git_folder(folder) or private)
        if not os.path.isdir(os.path.join(folder, ".git")):
            return None
        folders = folders[folders.index(folder) + 1 :]  # an empty folder of that name is none, as for git
    return None


def named(private: str, checkout: str) -> Repository | None:
    """The repository with this git folder, as git tells it to its hooks; None when it is no git folder."""
    private, checkout = os.path.realpath(private), os.path.realpath(checkout)
    common = pointer(os.path.join(private, "commondir"), "", private) or private
    return Repository(checkout, private, common) if is_git_folder(private) else None


def upward(start: str) -> list[str]:
    """``start`` and every folder above it."""
    folders = [start]
    while (parent := os.path.dirname(folders[-1])) != folders[-1]:
        folders.append(parent)
    return folders


def top_among(folders: Iterable[str]) -> tuple[str, bool] | None:
    """The first of these folders, innermost first, that is a checkout; else the first bare repository, and True.

    A bare repository inside a checkout is none: its files may have come with the checkout.
    """
    bare = None
    for folder in folders:
        if os.path.exists(os.path.join(folder, ".git")):
            return folder, False
        if bare is None and is_git_folder(folder) and is_bare(folder):
            bare = folder
    return None if bare is None else (bare, True)


def git_folder(checkout: str | os.PathLike[str], *, shared: bool = True) -> str | None:
    """The git folder of a checkout, the one that all its worktrees share or its own; None where there is none."""
    git = os.path.join(checkout, ".git")
    private = os.path.realpath(git) if os.path.isdir(git) else pointer(git, "gitdir:", os.fspath(checkout))
    if private is None or not os.path.isdir(private):
        return None
    return (pointer(os.path.join(private, "commondir"), "", private) if shared else None) or private


def belongs(checkout: str, private: str) -> bool:
    """Whether a git folder knows this checkout for its own: a ``.git`` file that came along could name any one.

    It lies in the checkout; or the repository lists the checkout as a worktree (``git worktree repair``); or its own
    ``core.worktree`` leads back, as that of a submodule does. One that says nothing (``--separate-git-dir``) is taken
    for this checkout's, unless it is bare or stands where another checkout has its own.
    """
    inside = os.path.join(checkout, "")
    common = pointer(os.path.join(private, "commondir"), "", private)
    if private.startswith(inside) and (common or private).startswith(inside):
        return True
    if common is not None:
        back = pointer(os.path.join(private, "gitdir"), "", private)
        return os.path.dirname(private) == os.path.join(common, "worktrees") and back == os.path.join(checkout, ".git")
    found = settings(private, private)
    if "core.worktree" in found:
        return os.path.realpath(os.path.join(private, found["core.worktree"])) == checkout
    return os.path.basename(private) != ".git" and not is_yes(found.get("core.bare", ""))


def pointer(path: str, prefix: str, base: str) -> str | None:
    """The folder that a one-line pointer file names, relative to ``base``; None without such a file."""
    try:
        text = os.fsdecode(read(path, _MAX_POINTER_BYTES)).strip()
    except OSError:
        return None
    if not text.startswith(prefix) or "\0" in text or text == prefix:
        return None
    return os.path.realpath(os.path.join(base, text.removeprefix(prefix).strip()))


def is_git_folder(folder: str) -> bool:
    """Whether it has what every git folder has, or has it in the folder that it shares with other worktrees."""
    head = os.path.join(folder, "HEAD")
    if kind_at(head) != "file" and not (os.path.islink(head) and os.readlink(head).startswith("refs/")):
        return False
    common = pointer(os.path.join(folder, "commondir"), "", folder) or folder
    return all(os.path.isdir(os.path.join(common, name)) for name in ("objects", "refs"))


def is_bare(folder: str) -> bool:
    """Whether a git folder says that it has no checkout of its own."""
    return is_yes(settings(folder, folder).get("core.bare", ""))


def is_yes(value: str) -> bool:
    """Whether a setting's text means true."""
    return value.lower() in _YES


def settings(common: str, private: str) -> Settings:
    """What a repository's own configuration sets, the last value of each; that of the worktree where it counts."""
    found = _file_settings(os.path.join(common, "config"))
    if is_yes(found.get("extensions.worktreeconfig", "")):
        found |= _file_settings(os.path.join(private, "config.worktree"))
    return found


def _file_settings(path: str) -> Settings:
    try:
        return parsed(os.fsdecode(read(path, MAX_CONFIG_BYTES)))
    except OSError:
        return {}


# Compiled when first needed: a hook in an ordinary checkout reads no configuration.
_HEADER = r'\[\s*([-.\w]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]'
_ENTRY = r"(?s)([a-zA-Z][-a-zA-Z0-9]*)[ \t]*(?:=[ \t]*(.*))?$"
_GOES_ON = r"(?<!\\)((?:\\\\)*)\\\r?\n"
_ESCAPES = {"n": "\n", "t": "\t", "b": "\b"}


def parsed(text: str) -> Settings:
    """A configuration file's settings (git-config(1), SYNTAX), without what it includes."""
    found: Settings = {}
    section = ""
    for line in re.sub(_GOES_ON, r"\1", text.removeprefix("\ufeff")).split("\n"):
        rest = line.strip()
        if header := re.match(_HEADER, rest):
            inner = re.sub(r"\\(.)", r"\1", header[2]) if header[2] is not None else None
            section = header[1].lower() if inner is None else f"{header[1].lower()}.{inner}"
            rest = rest[header.end() :].strip()
        entry = re.match(_ENTRY, rest)
        if entry and section:
            found[f"{section}.{entry[1].lower()}"] = "true" if entry[2] is None else _value(entry[2])
    return found


def _value(text: str) -> str:
    """A value without its quotation marks, its comment and the blanks at its end."""
    pieces: list[str] = []
    quoted, kept = False, 0  # how much of it stands, whatever blanks are at its end
    letters = iter(text)
    for letter in letters:
        if letter == '"':
            quoted = not quoted
            continue
        if letter in "#;" and not quoted:
            break
        escaped = next(letters, "") if letter == "\\" else ""
        pieces.append(_ESCAPES.get(escaped, escaped) or letter)
        if quoted or not letter.isspace():
            kept = len(pieces)
    return "".join(pieces[:kept])


def read(path: str, most_bytes: int) -> bytes:
    """A regular file, links followed. Raises OSError for anything else, and for more than ``most_bytes``."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "is no regular file", path)
    descriptor = os.open(path, os.O_RDONLY | _AT_ONCE)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "is no regular file", path)
    return drained(descriptor, most_bytes, path)


def kind_at(path: str) -> str:
    """What is at a path, links followed: ``file``, ``folder`` or ``other``; empty for nothing."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return ""
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"
