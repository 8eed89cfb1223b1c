"""Refs of a git repository, read by hand: HEAD, branches, the stash (gitrepository-layout(5)).

A repository that keeps its names otherwise (``extensions.refStorage``) tells nothing here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from comity.kernel.named_tuple import NamedTuple
from comity.system.repository import Repository, kind_at, read

MAX_PACKED_BYTES = 64_000_000
MAX_LOG_BYTES = 4_000_000
MAX_NAMES = 20_000
_MAX_NAME_BYTES = 4096
_MOST_LINKS = 5
_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_NAME = re.compile(r"refs/[^\x00-\x20\x7f~^:?*\[\\]+\Z")
_ENTRY = re.compile(r"[0-9a-f]+ ([0-9a-f]+) [^\t\n]*?> (\d+) [-+]\d{4}(?:\t|\Z)")
_STEPS = re.compile(r"([^~^]+)((?:[~^]\d*)*)\Z")


class Head(NamedTuple):
    """What is checked out: the branch (empty when it is none) and the commit (empty before the first one)."""

    branch: str
    commit: str


class Logged(NamedTuple):
    """An entry of a reflog: the object, and when the entry was made."""

    commit: str
    made_s: int


def is_id(text: str) -> bool:
    """Whether this is the whole name of an object."""
    return _ID.match(text) is not None


def is_branch(name: str) -> bool:
    """Whether git would take this for the name of a branch, and never for an option (git-check-ref-format(1))."""
    parts = name.split("/")
    return (
        _NAME.match(f"refs/heads/{name}") is not None
        and not name.startswith("-")
        and ".." not in name
        and "@{" not in name
        and name != "@"
        and not name.endswith(".")
        and all(part and not part.startswith(".") and not part.endswith(".lock") for part in parts)
    )


def head(repository: Repository) -> Head | None:
    """HEAD; None when it cannot be known by reading."""
    path = os.path.join(repository.private, "HEAD")
    link = os.readlink(path) if os.path.islink(path) else ""
    text = f"ref: {link}" if link.startswith("refs/") else _first_line(path)
    if is_id(text):
        return Head("", text)
    branch = text.removeprefix("ref:").strip() if text.startswith("ref:") else ""
    if not _NAME.match(branch) or branch == "refs/heads/.invalid":
        return None
    return Head(branch, find(repository, branch) or "")


def find(repository: Repository, name: str) -> str | None:
    """The object that a full name (``refs/…``) stands for; None for no such name."""
    for _ in range(_MOST_LINKS):
        if not _NAME.match(name) or ".." in name:
            return None
        private = name.startswith(("refs/bisect/", "refs/worktree/", "refs/rewritten/"))
        text = _first_line(os.path.join(repository.private if private else repository.common, name))
        if is_id(text):
            return text
        if not text.startswith("ref:"):
            return next((commit for commit, known in _packed(repository, name) if known == name), None)
        name = text.removeprefix("ref:").strip()
    return None


def resolve(repository: Repository, text: str) -> str | None:
    """What a commit is called in words that git takes: an object's name, or a branch or tag; with ``~`` and ``^``.

    The answer is the object's name, with the same ``~`` and ``^``; None for what is not read here (``@{…}``, ``:/…``).
    """
    taken = _STEPS.match(text)
    if taken is None:
        return None
    name, steps = taken[1], taken[2]
    if is_id(name):
        return name + steps
    if name in ("HEAD", "@"):
        now = head(repository)
        return now.commit + steps if now and now.commit else None
    places = ("{}", "refs/{}", "refs/tags/{}", "refs/heads/{}", "refs/remotes/{}", "refs/remotes/{}/HEAD")
    found = (find(repository, place.format(name)) for place in places)
    return next((commit + steps for commit in found if commit), None)


def below(repository: Repository, prefix: str) -> dict[str, str]:
    """Every name that begins with ``prefix`` (``refs/remotes/``), and its object, up to a bound."""
    found = {name: commit for commit, name in _packed(repository, prefix)}
    for folder, folders, names in os.walk(os.path.join(repository.common, prefix)):
        inner = os.path.relpath(folder, repository.common).replace(os.sep, "/")
        for name in (f"{inner}/{name}" for name in names):
            if (commit := find(repository, name)) is not None:
                found[name] = commit
        if len(found) > MAX_NAMES:
            folders.clear()
            break
    return found


def reflog(repository: Repository, name: str) -> list[Logged]:
    """What a name stood for, newest first; empty without a log."""
    path = os.path.join(repository.common, "logs", name)
    try:
        lines = os.fsdecode(read(path, MAX_LOG_BYTES)).splitlines()
    except OSError:
        return []
    found = [taken for taken in map(_ENTRY.match, lines) if taken and is_id(taken[1])]
    return [Logged(taken[1], int(taken[2])) for taken in reversed(found)]


def _packed(repository: Repository, prefix: str) -> Iterator[tuple[str, str]]:
    """Objects and names of ``packed-refs`` where the name begins so."""
    path = os.path.join(repository.common, "packed-refs")
    if kind_at(path) != "file":
        return
    try:
        data = read(path, MAX_PACKED_BYTES)
    except OSError:
        return
    wanted = b" " + os.fsencode(prefix)
    at = data.find(wanted)
    while at >= 0:
        start, end = data.rfind(b"\n", 0, at) + 1, data.find(b"\n", at)
        line = os.fsdecode(data[start : end if end >= 0 else len(data)]).rstrip("\r")
        commit, _, name = line.partition(" ")
        if is_id(commit) and _NAME.match(name) and name.startswith(prefix):
            yield commit, name
        at = data.find(wanted, end) if end >= 0 else -1


def _first_line(path: str) -> str:
    try:
        return os.fsdecode(read(path, _MAX_NAME_BYTES)).partition("\n")[0].strip()
    except OSError:
        return ""
