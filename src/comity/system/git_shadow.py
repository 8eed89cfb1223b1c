"""A git folder of our own in place of a repository's: its HEAD, its index, its objects, and nothing that runs.

Configuration and hooks of the repository are not in it, so that no filter, hook or driver that they name is known to
git. What decides how bytes are compared is carried over; objects are read where they lie, and new ones never get there.
It holds next to nothing: making and removing it is most of what it costs.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable

from comity.system.git_process import Environment
from comity.system.git_refs import Head
from comity.system.repository import Repository, Settings, is_yes, kind_at, read
from comity.system.surroundings import HERE

MAX_LIST_BYTES = 4_000_000  # of an exclude file, of attributes, of the sparse checkout
MAX_SHARED_INDEXES = 100

MEMORY, TEMPORARY = "/dev/shm", "/tmp"  # noqa: S108 (its name cannot be guessed, and only its owner may enter)

# What decides which bytes are the same and which files count, and runs nothing.
CARRIED = (
    *("core.autocrlf", "core.eol", "core.filemode", "core.ignorecase", "core.precomposeunicode", "core.symlinks"),
    *("core.trustctime", "core.checkstat", "core.sparsecheckout", "core.sparsecheckoutcone"),
    "sparse.expectfilesoutsideofpatterns",
)
# The user's own lists, and where they lie when none is named.
LISTS = {"core.excludesfile": "ignore", "core.attributesfile": "attributes"}


def make(there: Repository, head: Head, own: Settings, names: dict[str, str]) -> str:
    """The path of such a folder, which ``remove`` takes away again. ``names`` are the full names that it knows.

    Raises OSError.
    """
    folder = _temporary()
    try:
        os.mkdir(os.path.join(folder, "refs"))
        _write(folder, "HEAD", f"{head.commit or 'ref: refs/heads/unborn'}\n")
        if own.get("extensions.objectformat", "").lower() == "sha256":
            _write(folder, "config", "[core]\nrepositoryFormatVersion = 1\n[extensions]\nobjectFormat = sha256\n")
        if names:
            lines = (f"{commit} {name}\n" for name, commit in sorted(names.items()))
            _write(folder, "packed-refs", "# pack-refs with: sorted \n" + "".join(lines))
        _copy(there.common, folder, ("info/exclude", "info/attributes", "shallow"))
        if is_yes(own.get("core.sparsecheckout", "")):
            _copy(there.private, folder, ("info/sparse-checkout",))
        _link_shared_indexes(there.private, folder)
    except BaseException:
        remove(folder)
        raise
    return folder


def objects(there: Repository, folder: str) -> Environment:
    """Where git finds objects: in the repository; new ones would go to the shadow."""
    real = _quoted(os.path.join(there.common, "objects"))
    return {"GIT_OBJECT_DIRECTORY": folder, "GIT_ALTERNATE_OBJECT_DIRECTORIES": real}


def carried(own: Settings, users: Settings) -> list[tuple[str, str]]:
    """Of the repository's own settings and the user's, what is carried over."""
    values = [(key, value) for key in CARRIED if (value := own.get(key, users.get(key))) is not None]
    return values + [(key, _list_at(own.get(key, users.get(key)), usual)) for key, usual in LISTS.items()]


def remove(folder: str) -> None:
    """Take it away, as far as that can be done."""
    for take, name in ((os.unlink, "HEAD"), (os.rmdir, "refs"), (os.rmdir, "")):
        _quietly(take, os.path.join(folder, name))
    if not os.path.lexists(folder):
        return
    for inner, folders, names in os.walk(folder, topdown=False):
        for name in names:
            _quietly(os.unlink, os.path.join(inner, name))
        for name in folders:
            _quietly(os.rmdir, os.path.join(inner, name))
    _quietly(os.rmdir, folder)


def _temporary() -> str:
    """A new folder that only this user can enter, in memory where there is a place for that. Raises OSError."""
    name = f"comity-git-{os.urandom(12).hex()}"
    named = map(HERE.environment.get, ("TMPDIR", "TEMP", "TMP"))
    places = [place for place in (HERE.environment.get("XDG_RUNTIME_DIR"), MEMORY, *named, TEMPORARY) if place]
    for place in filter(os.path.isabs, places):
        folder = os.path.join(os.path.realpath(place), name)
        try:
            os.mkdir(folder, 0o700)
        except OSError:
            continue
        return folder
    raise OSError(errno.ENOENT, "no folder for temporary files", places[-1])


def _list_at(named: str | None, usual: str) -> str:
    """The file of a user's list, where it is one that can be read at once; else one that is empty."""
    settings_folder = HERE.environment.get("XDG_CONFIG_HOME") or os.path.join("~", ".config")
    path = os.path.expanduser(os.path.join(settings_folder, "git", usual) if named is None else named)
    try:
        taken = os.path.isabs(path) and kind_at(path) == "file" and os.stat(path).st_size <= MAX_LIST_BYTES
    except OSError:
        taken = False
    return path if taken else os.devnull


def _copy(source: str, folder: str, names: Iterable[str]) -> None:
    """Those of these files that say anything, whole."""
    for name in names:
        path = os.path.join(source, name)
        try:
            content = read(path, MAX_LIST_BYTES)
        except OSError:
            continue
        if any(line.strip() and not line.startswith(b"#") for line in content.splitlines()):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            _write(folder, name, content)


def _link_shared_indexes(private: str, folder: str) -> None:
    """A split index names its other half, which git looks for next to HEAD."""
    left = MAX_SHARED_INDEXES
    for name in os.listdir(private):
        path = os.path.join(private, name)
        if name.startswith("sharedindex.") and left > 0 and kind_at(path) == "file":
            os.symlink(path, os.path.join(folder, name))
            left -= 1


def _write(folder: str, name: str, content: str | bytes) -> None:
    with open(os.path.join(folder, name), "wb") as file:
        file.write(os.fsencode(content))


def _quoted(text: str) -> str:
    """Text as git has it in a list of folders."""
    for letter, escape in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n")):
        text = text.replace(letter, escape)
    return f'"{text}"'


def _quietly(take: Callable[[str], None], path: str) -> None:
    try:
        take(path)
    except OSError:
        return
