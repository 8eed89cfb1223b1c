"""Checks of the machine and of the checkout: interpreter, libraries, disk, notification, git, agent hosts."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from comity.doors.cli.findings import Finding, fail, ok, warn
from comity.doors.cli.screen import size
from comity.hosts.inspection import HostState, inspect
from comity.project import find_workspace
from comity.settings import Settings
from comity.store import doorbell
from comity.store.connection import connect

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
_OLDEST_PYTHON = (3, 11)


def python(_: Settings) -> Iterator[Finding]:
    """The interpreter."""
    found = f"{sys.version.split()[0]}, {sys.executable}"
    if sys.version_info[:2] < _OLDEST_PYTHON:
        yield fail("Python", found, "Install Comity with Python 3.11 or newer.")
    else:
        yield ok("Python", found)


def sqlite(_: Settings) -> Iterator[Finding]:
    """The SQLite library that apsw brings; connecting refuses one that is too old."""
    connection = connect(":memory:", "normal")
    found = connection.execute("SELECT sqlite_version()").fetchall()[0][0]
    connection.close()
    yield ok("SQLite", f"{found}, in apsw {version('apsw')}")


def program(_: Settings) -> Iterator[Finding]:
    """The command that hosts start."""
    found = shutil.which("comity")
    if found is None:
        yield warn("Command", "comity is not on PATH: hosts cannot start it", "Install it: `pipx install comity`.")
    else:
        yield ok("Command", found)


def checkout(settings: Settings) -> Iterator[Finding]:
    """Project, repository and worktree."""
    place, configured = find_workspace(os.getcwd())
    config = "" if configured else " (no .macp/config.json; `comity init` writes it)"
    yield ok("Project", f"{settings.project_id}{config}")
    if place.worktree is not None:
        yield ok("Git", f"linked worktree {place.worktree}, shares the workspace of {place.root}")
    elif place.bare:
        yield ok("Git", f"bare repository {place.root}")
    elif place.repository:
        yield ok("Git", f"{place.checkout}")
    else:
        yield warn("Git", "no repository here", "Comity works in any folder; worktrees are only known in a repository.")


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


def notification(settings: Settings) -> Iterator[Finding]:
    """How waiting calls are woken."""
    bell = doorbell.make([])
    kind = type(bell).__name__.removesuffix("Doorbell").lower()
    bell.close()
    if kind == "no":
        yield warn(
            "Wake-up", "no file notification: waiting calls look every 20 ms", "Raise fs.inotify.max_user_instances."
        )
    else:
        yield ok("Wake-up", kind)
    folder = settings.db + ".bell"
    if not os.path.isdir(folder):
        yield ok("Bell folder", "not made yet")
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield fail("Bell folder", f"{folder} is not writable", "Give this user write access to it, or remove it.")
    else:
        yield ok("Bell folder", folder)


def hosts(_: Settings) -> Iterator[Finding]:
    """Every host with a file here, or whose program is installed."""
    states = inspect(Path.cwd())
    for state in states:
        yield from _host(state)
    if not any(state.ours for state in states):
        yield warn("Hosts", "no agent host of this checkout starts Comity", "Run `comity init`.")


def _host(state: HostState) -> Iterator[Finding]:
    check = f"Host {state.name}"
    if state.problem is not None:
        yield fail(check, state.problem.message, state.problem.hint)
    elif state.doubles and state.starts is not None:
        also = ", ".join(state.doubles)
        yield warn(check, f"{state.file}: {also} starts a second server", "Remove it: an agent would be two agents.")
    elif state.starts == "comity":
        yield ok(check, state.file)
    elif state.starts is not None:
        what = "the original implementation" if state.starts == "macp" else "another program"
        yield warn(check, f"{state.file}: macp starts {what}", "`comity init` replaces it; --remove gives it back.")
    elif state.program is not None:
        yield warn(check, f"{state.program} is installed but not set up here", f"`comity init --hosts {state.name}`")


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
