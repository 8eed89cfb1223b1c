"""A store of copies: each is a file named after the SHA-256 of what it holds, compressed, for its owner's eyes.

What a symbolic link holds is the path that it leads to. A copy is there whole or not at all, whenever the process
dies: it is written under another name and then renamed. The same content is kept once. What can go wrong: a copy that
is damaged on the disk, which is found when it is read.
"""

from __future__ import annotations

import errno
import os
import stat
import time
import zlib
from collections.abc import Collection
from importlib import import_module

from comity.kernel.named_tuple import NamedTuple
from comity.system import files
from comity.system.fingerprints import stamp

NAME = "copies"  # the folder, next to the database
_NEW = "new-"
_TRIES = 3  # of reading a file that is being written
LEFT_S = 3600.0
_LEVEL = 1
_MOST_BYTES = 1_000_000_000  # of one copy
_OF_LINKS = (errno.ELOOP, errno.EMLINK)  # said where a link is opened that is not to be followed


class Kept(NamedTuple):
    """A file of which there is a copy: its content's SHA-256, its size, its permissions, and its stamp then.

    ``mode`` of a symbolic link says besides that it is one (``stat.S_ISLNK``).
    """

    content: str
    size_bytes: int
    mode: int
    stamp: str


class Copies:
    """The copies next to the database in ``folder``. ``durable``: a copy is on the disk before it counts."""

    def __init__(self, folder: str, *, durable: bool = False) -> None:
        self._base = folder
        self._durable = durable

    def keep_file(self, path: str, most_bytes: int) -> Kept | None:
        """Keep what is in a file or a link; None for what is neither, is larger, and does not stand still.

        Raises OSError when the copy cannot be written.
        """
        for _ in range(_TRIES):
            seen = stamp(path)
            read = _content(path, most_bytes)
            if read is None:
                return None
            data, mode = read
            if seen == stamp(path):
                return Kept(self.keep(data), len(data), mode, seen)
        return None

    def keep(self, data: bytes) -> str:
        """Keep some content; its SHA-256. Raises OSError."""
        content = _sha256(data)
        name = _name(content)
        path = os.path.join(self._base, name)
        try:
            os.utime(path)  # it is wanted anew
        except FileNotFoundError:
            self._write(name, zlib.compress(data, _LEVEL))
        return content

    def read(self, content: str) -> bytes:
        """What has this SHA-256. Raises OSError, FileNotFoundError, and ValueError when it is damaged."""
        kept = files.read(self._base, _name(content), _MOST_BYTES)
        try:
            data = zlib.decompress(kept)
        except zlib.error as error:
            raise ValueError(f"the copy is damaged: {error}") from None
        if _sha256(data) != content:
            raise ValueError("the copy is damaged")
        return data

    def has(self, content: str) -> bool:
        """Whether there is a copy of this content."""
        return os.path.isfile(os.path.join(self._base, _name(content)))

    def size_bytes(self, content: str) -> int:
        """What a copy takes on the disk; 0 for none."""
        try:
            return os.lstat(os.path.join(self._base, _name(content))).st_size
        except OSError:
            return 0

    def remove_all_but(self, wanted: Collection[str], *, least_s: float = LEFT_S) -> int:
        """Remove copies that no row names, and what killed processes left, once they are ``least_s`` old; how many.

        What is younger may be a copy whose row is written just now.
        """
        folder = os.path.join(self._base, NAME)
        before_s = time.time() - least_s
        removed = 0
        for inner, folders, names in os.walk(folder):
            folders.sort()
            for name in names:
                path = os.path.join(inner, name)
                known = os.path.basename(inner) + name in wanted
                try:
                    if not known and os.lstat(path).st_mtime <= before_s:
                        os.unlink(path)
                        removed += 1
                except OSError:
                    continue
        return removed

    def _write(self, name: str, data: bytes) -> None:
        files.make_folder(self._base, NAME)
        files.make_folder(self._base, os.path.dirname(name))
        new = f"{os.path.dirname(name)}/{_NEW}{os.urandom(8).hex()}"
        descriptor = files.open_file(self._base, new, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        try:
            files.write_all(descriptor, data)
            if self._durable:
                os.fsync(descriptor)
        except BaseException:
            os.close(descriptor)
            os.unlink(os.path.join(self._base, new))
            raise
        os.close(descriptor)
        os.replace(os.path.join(self._base, new), os.path.join(self._base, name))
        if self._durable:
            _sync_folder(os.path.join(self._base, os.path.dirname(name)))


def _sha256(data: bytes) -> str:
    digest: str = import_module("hashlib").sha256(data).hexdigest()
    return digest


def _name(content: str) -> str:
    return f"{NAME}/{content[:2]}/{content[2:]}"


def _content(path: str, most_bytes: int) -> tuple[bytes, int] | None:
    """What is in a regular file or a link, and its mode; None for anything else, and for a larger one."""
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    except OSError as error:
        return link_at(path) if error.errno in _OF_LINKS else None
    except ValueError:
        return None
    seen = os.fstat(descriptor)
    if not stat.S_ISREG(seen.st_mode) or seen.st_size > most_bytes:
        os.close(descriptor)
        return None
    try:
        return files.drained(descriptor, most_bytes, path), stat.S_IMODE(seen.st_mode)
    except OSError:
        return None


def link_at(path: str) -> tuple[bytes, int] | None:
    """Where the symbolic link at a path leads, and its mode; None for anything else."""
    try:
        return os.fsencode(os.readlink(path)), stat.S_IFLNK | 0o777
    except OSError:
        return None


def _sync_folder(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
