"""How a file looks now, told in a short text: by what the file system says, or by its content."""

from __future__ import annotations

import errno
import os
import stat
import zlib

_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_WHOLE_BYTES = 2_000_000  # larger files are known by size and time


def stamp(path: str) -> str:
    """What the file system says of a path, no link followed; it changes with every change. Empty for nothing there."""
    try:
        seen = os.lstat(path)
    except (OSError, ValueError):
        return ""
    return f"{seen.st_mtime_ns}:{seen.st_ctime_ns}:{seen.st_size}:{seen.st_ino}"


def changed_ms(stamp: str) -> int:
    """When the file of a stamp was changed, which no program sets, in milliseconds; 0 for nothing there."""
    return int(stamp.split(":")[1]) // 1_000_000 if stamp else 0


def fingerprint(path: str) -> str:
    """When a file was last written, in milliseconds, and after a bar what tells its content; empty for no file.

    The content of a symbolic link is where it leads. What is neither is none: a pipe may keep its reader for ever.
    """
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            seen = os.fstat(file.fileno())
            if not stat.S_ISREG(seen.st_mode):
                return ""
            content = seen.st_mtime_ns if seen.st_size > _WHOLE_BYTES else zlib.crc32(file.read())
            return f"{seen.st_mtime_ns // 1_000_000}|{seen.st_size}:{content:x}"
    except OSError as error:
        return _of_link(path) if error.errno in (errno.ELOOP, errno.EMLINK) else ""
    except ValueError:
        return ""


def _of_link(path: str) -> str:
    try:
        return f"{os.lstat(path).st_mtime_ns // 1_000_000}|link:{os.readlink(path)!r}"
    except OSError:
        return ""


def differ(one: str | None, other: str | None) -> bool:
    """Whether two fingerprints are of different contents; not when one of them is not known."""
    return one is not None and other is not None and one.partition("|")[2] != other.partition("|")[2]


def written_ms(seen: str) -> int:
    """When the file of a fingerprint was last written; 0 for no file."""
    return int(seen.partition("|")[0] or 0)


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | _SAFE)
