"""Which files git tracks, read from its index (gitformat-index(5)): no process is started.

The index of a checkout is one file of entries in the order of their paths. What is not understood (an index that is
split in two, a version to come) is told as such: to ask whether a file came with a repository must not answer "no"
for "unknown".
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Iterator

from comity.system import files

_MAX_BYTES = 500_000_000
_PIECE_BYTES = 8_000_000
_STAT_BYTES, _MODE_AT = 40, 24
_NO_FILES = (0o160000, 0o040000)  # the modes of a submodule, and of a folder left out of a sparse checkout
_HASH_BYTES = (20, 32)  # SHA-1, and SHA-256 in repositories of that kind
_NAME_BITS, _EXTENDED = 0x0FFF, 0x4000
_SPLIT = b"link"  # the extension of an index whose other half is another file


def listed(git_folder: str, paths: Iterable[str]) -> set[str] | None:
    """Those of ``paths`` (from the top of the checkout, with ``/``) that are in the index; None when it is unreadable.

    Upper and lower case are one, as for file systems that do not tell them apart. What lies in a folder that is one
    entry (a submodule, a folder left out of a sparse checkout, a link) counts as listed.
    """
    wanted: dict[bytes, set[str]] = {}
    for path in paths:
        parts = path.lower().encode(errors="surrogateescape").split(b"/")
        for count in range(1, len(parts) + 1):
            wanted.setdefault(b"/".join(parts[:count]), set()).add(path)
    try:
        if not _may_hold(git_folder, wanted):
            return set()
        data = files.read(git_folder, "index", _MAX_BYTES)
    except FileNotFoundError:
        return set()
    except OSError:
        return None
    if data[:4] != b"DIRC" or not 2 <= int.from_bytes(data[4:8]) <= 4:
        return None
    split = _SPLIT + b"\0\0" in data  # or a file of such a name
    if int.from_bytes(data[4:8]) < 4 and not split:
        lower = data.lower()  # paths stand there whole
        if not any(path + b"\0" in lower or path + b"/\0" in lower for path in wanted):
            return set()
    for hash_bytes in _HASH_BYTES:
        try:
            found = _among(data, wanted, hash_bytes, to_end=split)
        except (IndexError, ValueError):
            continue
        return {path for entry in found for path in wanted[entry]}
    return None


def _may_hold(git_folder: str, wanted: Collection[bytes]) -> bool:
    """Whether a large index has one of these paths anywhere in it, read a piece at a time; yes for a small one.

    Raises OSError.
    """
    descriptor = files.open_file(git_folder, "index", os.O_RDONLY)
    try:
        if os.fstat(descriptor).st_size <= _PIECE_BYTES:
            return True
        piece = os.read(descriptor, _PIECE_BYTES)
        if piece[:4] != b"DIRC":
            raise OSError(errno.EINVAL, "is no index")
        if int.from_bytes(piece[4:8]) > 3:
            return True  # paths of the fourth version do not stand there whole
        signs = [*(path + b"\0" for path in wanted), *(path + b"/\0" for path in wanted), _SPLIT + b"\0\0"]
        kept = max(map(len, signs))
        before = b""
        while piece:
            text = before + piece.lower()
            if any(sign in text for sign in signs):
                return True
            before, piece = text[-kept:], os.read(descriptor, _PIECE_BYTES)
    finally:
        os.close(descriptor)
    return False


class _Entries:
    """The paths of an index, in order, and their modes; ``at`` is the place after the last one that was read.

    Raises IndexError and ValueError for what is not of this form.
    """

    def __init__(self, data: bytes, hash_bytes: int) -> None:
        self.at = 12
        self._data, self._hash_bytes = data, hash_bytes

    def __iter__(self) -> Iterator[tuple[bytes, int]]:
        data, at, before = self._data, self.at, b""
        version, count = int.from_bytes(data[4:8]), int.from_bytes(data[8:12])
        for _ in range(count):
            start = at
            at += _STAT_BYTES + self._hash_bytes
            flags = int.from_bytes(data[at : at + 2])
            at += 4 if flags & _EXTENDED else 2
            if version >= 4:
                cut, at = _varint(data, at)
                end = data.index(b"\0", at)
                path = before[: len(before) - cut] + data[at:end]
                at = end + 1
            else:
                end = data.index(b"\0", at)
                path = data[at:end]
                at = start + (end - start + 8) // 8 * 8
            if not path or flags & _NAME_BITS != min(len(path), _NAME_BITS):
                raise ValueError("no entry of this form")
            before, self.at = path, at
            yield path, int.from_bytes(data[start + _MODE_AT : start + _MODE_AT + 4])


def _among(data: bytes, wanted: dict[bytes, set[str]], hash_bytes: int, *, to_end: bool) -> set[bytes]:
    """The entries that are wanted. Raises IndexError and ValueError for what is not of this form."""
    last = max((path[:1] for path in wanted), default=b"")  # later paths need not be read
    entries, found = _Entries(data, hash_bytes), set()
    for path, _ in entries:
        name = path.rstrip(b"/").lower()
        if name in wanted:
            found.add(name)
        if path[:1] > last and not to_end:
            return found
    if to_end and _SPLIT in _extensions(data, entries.at, hash_bytes):
        raise ValueError("half of it is in another file")
    return found


def files_of(git_folder: str, most: int) -> list[str] | None:
    """Every file that is in the index, from the top of the checkout; None for more than ``most``, for one that has
    submodules, and when it cannot be told.
    """
    try:
        data = files.read(git_folder, "index", _PIECE_BYTES)
    except OSError:
        return None
    if data[:4] != b"DIRC" or not 2 <= int.from_bytes(data[4:8]) <= 4 or int.from_bytes(data[8:12]) > most:
        return None
    for hash_bytes in _HASH_BYTES:
        entries = _Entries(data, hash_bytes)
        try:
            found = list(entries)
        except (IndexError, ValueError):
            continue
        if _SPLIT in _extensions(data, entries.at, hash_bytes) or any(
            mode & 0o170000 in _NO_FILES for _, mode in found
        ):
            return None
        return [os.fsdecode(path) for path, _ in found]
    return None


def _extensions(data: bytes, at: int, hash_bytes: int) -> set[bytes]:
    """The names of what follows the entries."""
    names = set()
    while at + 8 <= len(data) - hash_bytes:
        names.add(data[at : at + 4])
        at += 8 + int.from_bytes(data[at + 4 : at + 8])
    return names


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number there, as git's offset encoding has it, and the place after it."""
    value = data[at] & 127
    while data[at] & 128:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 127)
    return value, at + 1
