"""What a strict project refuses when nobody can tell who holds what: loaded only then."""

from __future__ import annotations

import os

from comity.hosts.contract import HostEvent
from comity.settings import Settings
from comity.shell import effects
from comity.shell.changes import Change
from comity.shell.line_reader import MOST_COMMANDS, is_read_whole
from comity.system.surroundings import HERE


def risks(heard: HostEvent, resolved: Settings) -> bool:
    """Whether a shell command visibly writes files of the project, or throws work away. Everything else may run."""
    place = os.path.realpath(resolved.worktree or resolved.root)
    found = effects.effects(heard.command, os.path.realpath(heard.cwd or HERE.folder()), HERE.environment)
    return any(_risks(change, place) for change in found.changes)


def too_long(command: str) -> str:
    """Why a line of which not all is read may not run; empty for any other."""
    if len(command) <= MOST_COMMANDS or is_read_whole(command):
        return ""
    return "Comity cannot read all of this command, since it is too long, and this project is strict: run it in parts."


def _risks(change: Change, place: str) -> bool:
    if change.bypass or change.how in ("branch", "index", "commit", "push"):
        return False
    unnamed = change.whole or change.patterns or not change.paths
    return (bool(unnamed) and _within(place, change.place)) or any(_within(place, path) for path in change.paths)


def _within(place: str, path: str) -> bool:
    folder, name = os.path.split(os.path.normpath(path))
    real = os.path.join(os.path.realpath(folder), name)
    return real == place or real.startswith(place + os.sep)
