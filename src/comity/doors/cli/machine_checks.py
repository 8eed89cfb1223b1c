"""Checks of the machine and of the checkout: interpreter, libraries, notification, git, agent hosts."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from comity import database
from comity.doors.cli.findings import Finding, fail, ok, warn
from comity.hosts.inspection import HostState, inspect
from comity.project import find_workspace
from comity.settings import Settings

_OLDEST_PYTHON = (3, 11)


def python(_: Settings) -> Iterator[Finding]:
    """The interpreter."""
    found = f"{sys.version.split()[0]}, {sys.executable}"
    if sys.version_info[:2] < _OLDEST_PYTHON:
        yield fail("Python", found, "Install Comity with Python 3.11 or newer.")
    else:
        yield ok("Python", found)


def sqlite(_: Settings) -> Iterator[Finding]:
    """The SQLite library that apsw brings; one that is too old is refused."""
    yield ok("SQLite", f"{database.library()}, in apsw {version('apsw')}")


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


def notification(settings: Settings) -> Iterator[Finding]:
    """How waiting calls are woken."""
    if kind := database.notification():
        yield ok("Wake-up", kind)
    else:
        yield warn(
            "Wake-up", "no file notification: waiting calls look every 20 ms", "Raise fs.inotify.max_user_instances."
        )
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
