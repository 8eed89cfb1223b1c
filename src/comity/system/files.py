"""Opening files where others can put things: in a checkout, next to the database, in ``.macp`` and ``.masc``.

No link is followed below the folder that is named as the base, whatever is swapped meanwhile: every part of the way is
opened from the folder before it. What is opened is a regular file of our own user, and what is read is bounded; a pipe
or a device is not waited for. Where the system has no ``openat`` (Windows), each part is looked at instead.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

PRIVATE_FILE, PRIVATE_FOLDER = 0o600, 0o700
_SAFE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC if os.name == "posix" else 0
_FOLDER = _SAFE | (os.O_DIRECTORY if os.name == "posix" else 0)
_STEPS = os.open in os.supports_dir_fd
_WRITES = os.O_WRONLY | os.O_RDWR


class Unsafe(OSError):
    """Something is there that is not opened: a link, a pipe, another user's file. ``strerror`` says which."""


def read(base: str, name: str, most_bytes: int) -> bytes:
    """The content of the file ``name`` (``/`` between its parts) below the folder ``base``.

    Raises FileNotFoundError, Unsafe (also for more than ``most_bytes``) and other OSErrors.
    """
    return drained(open_file(base, name, os.O_RDONLY), most_bytes, os.path.join(base, name))


def drained(descriptor: int, most_bytes: int, path: str) -> bytes:
    """All that is to be read from a descriptor, which is closed. Raises Unsafe for more than ``most_bytes``."""
    try:
        pieces, left = [], most_bytes + 1
        while left > 0 and (piece := os.read(descriptor, min(left, 1 << 20))):
            pieces.append(piece)
            left -= len(piece)
    finally:
        os.close(descriptor)
    if left <= 0:
        raise Unsafe(errno.EFBIG, f"is larger than {most_bytes:,} bytes", path)
    return b"".join(pieces)


def read_beside(path: str, most_bytes: int) -> bytes:
    """The content of a file whose folder is trusted: only its own name is followed nowhere. Raises as ``read``."""
    return read(*os.path.split(path), most_bytes)


def open_file(base: str, name: str, flags: int, mode: int = PRIVATE_FILE) -> int:
    """A descriptor of the regular file ``name`` below ``base``. A writer gets no file that has a second name.

    Raises Unsafe and other OSErrors.
    """
    folder, last = _parent(base, name)
    try:
        descriptor = _open(folder, last, flags | _SAFE, mode, base, name)
        if not isinstance(descriptor, int):
            raise _unsafe(errno.EISDIR, "is a folder", base, name)
        try:
            _check(os.fstat(descriptor), folder, flags, base, name)
        except BaseException:
            os.close(descriptor)
            raise
    finally:
        _close(folder)
    return descriptor


@contextmanager
def opened_folder(base: str, name: str = "") -> Iterator[Iterator[os.DirEntry[str]]]:
    """What is in the folder ``name`` below ``base``. Raises as ``open_file``."""
    folder = _way(base, _parts(name), name)
    try:
        with os.scandir(folder) as entries:
            yield entries
    finally:
        _close(folder)


def make_folder(base: str, name: str, mode: int = PRIVATE_FOLDER) -> bool:
    """Make the folder ``name`` below ``base``, whose own parents must be there; whether it had to be made.

    Raises Unsafe when something else, or a link, is there in its place.
    """
    folder, last = _parent(base, name)
    try:
        try:
            if isinstance(folder, int):
                os.mkdir(last, mode, dir_fd=folder)
            else:
                os.mkdir(os.path.join(folder, last), mode)
        except FileExistsError:
            info = _look(folder, last)
            if not stat.S_ISDIR(info.st_mode):
                raise _unsafe(errno.ENOTDIR, _kind(info.st_mode), base, name) from None
            return False
    finally:
        _close(folder)
    return True


def write_new(base: str, name: str, content: bytes, mode: int = PRIVATE_FILE) -> bool:
    """Write a file that is not there, whole; False when something is there already."""
    try:
        descriptor = open_file(base, name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        return False
    try:
        write_all(descriptor, content)
    finally:
        os.close(descriptor)
    return True


def make_link(base: str, name: str, leads_to: str) -> None:
    """Make the symbolic link ``name`` below the folder ``base``, where nothing is. Raises OSError."""
    folder, last = _parent(base, name)
    try:
        if isinstance(folder, int):
            os.symlink(leads_to, last, dir_fd=folder)
        else:
            os.symlink(leads_to, os.path.join(folder, last))
    finally:
        _close(folder)


def require_own(base: str, name: str) -> None:
    """Raise Unsafe unless a regular file of this user, without a second name, is there. It is not opened."""
    folder, last = _parent(base, name)
    try:
        _check(_look(folder, last), folder, _WRITES, base, name)
    finally:
        _close(folder)


def write_all(descriptor: int, content: bytes) -> None:
    """Every byte of it."""
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]


def kind_of(path: str) -> str:
    """What is at a path, no link followed: ``file``, ``folder``, ``link``, ``other``; empty for nothing."""
    try:
        mode = os.lstat(path).st_mode
    except (OSError, ValueError):
        return ""
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise _unsafe(errno.EINVAL, "leads upward", "", name)
    return parts


def _parent(base: str, name: str) -> tuple[int | str, str]:
    """The folder in which the last part lies, opened, and that part."""
    *way, last = _parts(name)
    return _way(base, way, name), last


def _way(base: str, parts: list[str], name: str) -> int | str:
    """The folder at the end of these parts, opened."""
    folder: int | str = _base(base)
    for part in parts:
        try:
            inner = _open(folder, part, os.O_RDONLY | _FOLDER, 0, base, name)
        finally:
            _close(folder)
        folder = inner
    return folder


def _base(base: str) -> int | str:
    return os.open(base or ".", os.O_RDONLY | (_FOLDER & ~getattr(os, "O_NOFOLLOW", 0))) if _STEPS else base


def _open(folder: int | str, part: str, flags: int, mode: int, base: str, name: str) -> int | str:
    try:
        if isinstance(folder, int):
            return os.open(part, flags, mode, dir_fd=folder)
        path = os.path.join(folder, part)
        if os.path.islink(path):
            raise _unsafe(errno.ELOOP, "is a link", base, name)
        return path if os.path.isdir(path) else os.open(path, flags, mode)
    except OSError as error:
        if isinstance(error, Unsafe):
            raise
        try:
            there = _kind(_look(folder, part).st_mode)
        except OSError:
            there = ""
        if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK, errno.ENXIO) and there:
            raise _unsafe(error.errno, there, base, name) from None
        raise type(error)(error.errno, error.strerror, os.path.join(base, name)) from None


def _look(folder: int | str, part: str) -> os.stat_result:
    if isinstance(folder, int):
        return os.stat(part, dir_fd=folder, follow_symlinks=False)
    return os.lstat(os.path.join(folder, part))


def _check(info: os.stat_result, folder: int | str, flags: int, base: str, name: str) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise _unsafe(errno.EINVAL, _kind(info.st_mode), base, name)
    if flags & _WRITES and info.st_nlink > 1:
        raise _unsafe(errno.EMLINK, "has a second name (a hard link)", base, name)
    if not _ours(info, folder):
        raise _unsafe(errno.EPERM, "belongs to another user", base, name)


def _ours(info: os.stat_result, folder: int | str) -> bool:
    """Whether the file is this user's. Root may use those of the folder's owner: a container's root, sudo."""
    if os.name != "posix" or info.st_uid == os.geteuid():
        return True
    owner = os.fstat(folder) if isinstance(folder, int) else os.stat(folder)
    return os.geteuid() == 0 and info.st_uid == owner.st_uid


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "is a link, and none is followed here"
    if stat.S_ISDIR(mode):
        return "is a folder"
    return "is a file, not a folder" if stat.S_ISREG(mode) else "is no regular file"


def _unsafe(code: int, why: str, base: str, name: str) -> Unsafe:
    return Unsafe(code, why, os.path.join(base, name))


def _close(folder: int | str) -> None:
    if isinstance(folder, int):
        os.close(folder)
