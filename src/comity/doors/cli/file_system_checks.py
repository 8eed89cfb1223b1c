"""Checks of the file system under the database: its type (a network does not do) and its free space."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from comity.doors.cli.findings import Finding, fail, ok, warn
from comity.doors.cli.screen import size
from comity.settings import Settings

_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afs",
    "ceph",
    "glusterfs",
    "lustre",
    "fuse.sshfs",
    "fuse.glusterfs",
}
_SHARED = {"9p", "virtiofs", "vboxsf", "fuse.vmhgfs-fuse", "drvfs"}
_LITTLE_BYTES, _LOW_BYTES = 20_000_000, 200_000_000


def disk(settings: Settings) -> Iterator[Finding]:
    """File system and free space, where the database is or would be."""
    folder = existing(os.path.dirname(settings.db))
    kind = file_system(folder)
    if kind in _NETWORK:
        yield fail("File system", f"{kind}: SQLite's log does not work over a network", "Put it on a local disk: --db.")
    elif kind in _SHARED:
        yield warn("File system", f"{kind}: shared with another machine", "Do not use it from both at once.")
    else:
        yield ok("File system", kind or "unknown")
    free = shutil.disk_usage(folder).free
    if free < _LITTLE_BYTES:
        yield fail("Free space", size(free), "Free space, or `comity prune`.")
    elif free < _LOW_BYTES:
        yield warn("Free space", size(free), "Free space, or `comity prune`.")
    else:
        yield ok("Free space", size(free))


def existing(folder: str) -> str:
    """``folder``, or the nearest folder above it that exists."""
    while not os.path.isdir(folder):
        folder = os.path.dirname(folder) or "/"
    return folder


def file_system(folder: str) -> str:
    """The type of the file system that holds ``folder``; empty where the system does not tell."""
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            return type_of(os.path.realpath(folder), file.read())
    except OSError:
        return ""


def type_of(folder: str, mountinfo: str) -> str:
    """The type of the deepest, latest mount above ``folder``; see proc(5) for the format."""
    best, found = "", ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        words = left.split(" ")
        if len(words) < 5 or not right:
            continue
        point = _unescape(words[4])
        inside = folder == point or folder.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, found = point, right.split(" ")[0]
    return found


def _unescape(text: str) -> str:
    for code in ("040", "011", "012", "134"):
        text = text.replace(f"\\{code}", chr(int(code, 8)))
    return text
