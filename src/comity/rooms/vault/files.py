"""Reading a folder: which documents it has, and what one holds. No database here, and no transaction is open.

Symbolic links are never followed, at no part of the way and whatever is swapped meanwhile, so neither a loop nor a way
out of the folder can be taken; hidden folders and those of packages are left out. What can go wrong: a file that is
written while it is read, or just after; what was seen of it then counts as doubtful, and the next run reads it again.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator

from comity.kernel.clock import Instant
from comity.kernel.javascript import trim
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Forbidden, Limited, NotFound
from comity.kernel.scope import Actor
from comity.rooms.vault.model import EXTENSIONS, MAX_FILE_BYTES, MAX_FILES, Skipped
from comity.system import files
from comity.system.inside import folder_inside, within

DOUBTFUL = -1  # instead of a time: read the file again next time
_SETTLED_NS = 2_000_000_000  # a file changed later than this before it was read may change again unseen
_PACKAGES = ("node_modules", "__pycache__", "site-packages")
_NOT_IN_TAGS = re.compile(r"[^A-Za-z0-9]+")


class Seen(NamedTuple):
    """A file that is a document by its name."""

    path: str  # from the root, with /
    source_path: str  # the root and ``path``
    size_bytes: int
    mtime_ns: int


class Listing(NamedTuple):
    """What a folder holds."""

    files: list[Seen]
    skipped: Skipped


class Read(NamedTuple):
    """A document as it was read. ``mtime_ns`` is DOUBTFUL when it may have changed since."""

    path: str
    source_path: str
    size_bytes: int
    mtime_ns: int
    title: str
    content: str
    tags: list[str]
    content_hash: str
    modified_at: str


def resolve(actor: Actor, path: str) -> str:
    """The folder that is meant, absolute and without links. Raises NotFound and Forbidden.

    Whoever could not look for themselves is not told what there is outside.
    """
    base = actor.worktree or actor.root or os.getcwd()
    allowed = [one for one in (actor.root, actor.worktree) if one]
    if actor.oversees or actor.vault_outside:
        folder = os.path.realpath(os.path.join(base, os.path.expanduser(trim(path))))
    else:
        folder = folder_inside(trim(path), base, allowed)
        if not folder:
            raise _outside(path)
    if not os.path.isdir(folder):
        raise NotFound(
            "vault.no_folder",
            f"{path} is not a folder.",
            "Name a folder with documents, from the project's root.",
            path=folder,
        )
    if not actor.vault_outside and not any(within(folder, os.path.realpath(one)) for one in allowed):
        raise _outside(folder)
    if ".git" in folder.split(os.sep):
        raise Forbidden("vault.git_folder", f"{folder} belongs to git.", "Name a folder with documents.", path=folder)
    return folder


def _outside(path: str) -> Forbidden:
    return Forbidden(
        "vault.outside",
        f"{path} is outside the project.",
        "Name a folder of the project; or start with COMITY_VAULT_OUTSIDE=true, if you may.",
        path=path,
    )


def listing(root: str) -> Listing:
    """Every document below ``root``, by name. Raises Limited ``vault.too_many``."""
    found: list[Seen] = []
    counts = dict.fromkeys(Skipped._fields, 0)
    folders = [""]
    while folders:
        folder = folders.pop()
        try:
            listed = _entries(root, folder)
        except OSError:
            counts["unreadable"] += 1
            continue
        for name, mode, size_bytes, mtime_ns in listed:
            if not _usable(name):
                continue
            path = f"{folder}/{name}" if folder else name
            if stat.S_ISLNK(mode):
                counts["links"] += 1
            elif stat.S_ISDIR(mode):
                folders.append(path)
            elif stat.S_ISREG(mode) and os.path.splitext(name)[1].lower() in EXTENSIONS:
                if size_bytes > MAX_FILE_BYTES:
                    counts["large"] += 1
                    continue
                found.append(Seen(path, os.path.join(root, *path.split("/")), size_bytes, mtime_ns))
        if len(found) > MAX_FILES:
            raise Limited(
                "vault.too_many",
                f"{root} has more than {MAX_FILES:,} documents.",
                "Name a folder below it.",
                limit=MAX_FILES,
            )
    return Listing(found, Skipped(**counts))


def _entries(root: str, folder: str) -> list[tuple[str, int, int, int]]:
    """Names, modes, sizes and times of what is in a folder below ``root``, by name. Raises OSError."""
    found = []
    with files.opened_folder(root, folder) as entries:
        for entry in entries:
            try:
                info = entry.stat(follow_symlinks=False)
            except OSError:  # it has just gone
                continue
            found.append((entry.name, info.st_mode, info.st_size, info.st_mtime_ns))
    return sorted(found)


def _usable(name: str) -> bool:
    """Hidden names are left out, and those that no database can hold."""
    return not name.startswith(".") and name not in _PACKAGES and name.isprintable()


def read(seen: Seen, now_ns: int) -> Read | str:
    """The document, or the name of the count under which it is skipped. ``now_ns``: the time, for doubtful files."""
    root = seen.source_path[: -len(seen.path)]
    try:
        descriptor = files.open_file(root, seen.path, os.O_RDONLY)
        with os.fdopen(descriptor, "rb") as file:
            info = os.fstat(descriptor)
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError:
        return "unreadable"
    if len(data) > MAX_FILE_BYTES:
        return "large"
    if b"\0" in data:
        return "binary"
    content = data.decode("utf-8", "replace")
    settled = info.st_mtime_ns < now_ns - _SETTLED_NS and info.st_size == len(data)
    return Read(
        seen.path,
        seen.source_path,
        len(data),
        info.st_mtime_ns if settled else DOUBTFUL,
        title(content, seen.path),
        content,
        tags(seen.path),
        hashlib.sha256(content.encode()).hexdigest(),
        Instant.at((info.st_mtime_ns + 500_000) // 1_000_000).iso,
    )


def title(content: str, path: str) -> str:
    """The first heading; the file's name without its extension when there is none or it is empty."""
    for line in _lines(content):
        heading = trim(line)
        if heading.startswith("#"):
            return trim(heading.lstrip("#")) or _stem(path)
    return _stem(path)


def _lines(content: str) -> Iterator[str]:
    start = 0
    while (end := content.find("\n", start)) >= 0:
        yield content[start:end]
        start = end + 1
    yield content[start:]


def _stem(path: str) -> str:
    return os.path.splitext(path.rpartition("/")[2])[0]


def tags(path: str) -> list[str]:
    """The words of a path, lower-cased, each once."""
    found = dict.fromkeys(part.lower() for part in _NOT_IN_TAGS.split(os.path.splitext(path)[0]))
    return [tag for tag in found if tag]
