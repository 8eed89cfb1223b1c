"""Which files git tracks, read from its index (gitformat-index(5)): ``init`` starts no process."""

from __future__ import annotations

import os

from comity.project import git_folder, locate

_MAX_BYTES = 500_000_000
_STAT_BYTES, _HASH_BYTES = 40, 20
_NAME_BITS, _EXTENDED = 0x0FFF, 0x4000


def tracked(checkout: str, names: tuple[str, ...]) -> set[str]:
    """Those of ``names``, which count from ``checkout``, that are in the index; none when it cannot be read."""
    top = locate(checkout).checkout
    git = git_folder(top, shared=False)
    inside = os.path.relpath(os.path.realpath(checkout), top)
    wanted = {os.path.normpath(os.path.join(inside, name)).replace(os.sep, "/").encode(): name for name in names}
    try:
        with open(os.path.join(git or "", "index"), "rb") as file:
            data = file.read(_MAX_BYTES)
        return {wanted[path] for path in _among(data, set(wanted))}
    except (OSError, IndexError, ValueError):
        return set()


def _among(data: bytes, wanted: set[bytes]) -> set[bytes]:
    if data[:4] != b"DIRC" or not any(path.rsplit(b"/", 1)[-1] in data for path in wanted):
        return set()
    version, count = int.from_bytes(data[4:8]), int.from_bytes(data[8:12])
    at, before, found = 12, b"", set()
    for _ in range(count):
        start = at
        at += _STAT_BYTES + _HASH_BYTES
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
        before = path
        if path in wanted:
            found.add(path)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number there, as git's offset encoding has it, and the place after it."""
    value = data[at] & 127
    while data[at] & 128:
        at += 1
        value = ((value + 1) << 7) | (data[at] & 127)
    return value, at + 1
