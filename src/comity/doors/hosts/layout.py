"""Which files of which folder ``init`` and ``--remove`` are about."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from comity.doors.hosts.host import Host
from comity.doors.hosts.target import Target
from comity.kernel.problem import Invalid
from comity.project import FOLDER, find_workspace

IGNORE_NAME = f"{FOLDER}/.gitignore"
BLOCKS = ("AGENTS.md", "CLAUDE.md")


class Place(NamedTuple):
    """Where a project stands, as ``comity.project`` found it."""

    root: Path
    checkout: Path
    worktree: bool  # ``checkout`` is a linked worktree
    bare: bool


def workspace(root: Path) -> Place:
    """Where the workspace for ``root`` is or will be. Raises Invalid when ``root`` is no folder."""
    if not root.is_dir():
        raise Invalid("init.no_folder", f"{root} is not a folder", "Run it in the project's folder.")
    found, _ = find_workspace(str(root))
    return Place(Path(found.root), Path(found.checkout), found.worktree is not None, found.bare)


def host_files(place: Place, picked: tuple[Host, ...]) -> list[Target]:
    """One target for each file of these hosts; hosts that share a file share the target."""
    by_file: dict[str, list[Host]] = {}
    for host in picked:
        names = (host.file, *host.others)
        there = [name for name in names if os.path.lexists(place.checkout / name)]
        by_file.setdefault((there or names)[0], []).append(host)
    return [Target("host", place.checkout, name, tuple(group)) for name, group in by_file.items()]


def section_name(place: Place) -> str:
    """How the record calls the checkout."""
    return "." if place.checkout == place.root else str(place.checkout)
