"""What a strict project refuses when nobody can tell who holds what: loaded only then."""

from __future__ import annotations

import os

from comity.hosts.contract import Heard
from comity.settings import Settings
from comity.shell import effects, git_commands


def risks(heard: Heard, resolved: Settings) -> bool:
    """Whether a shell command visibly writes files of the project, or throws work away. Everything else may run."""
    place = os.path.realpath(resolved.worktree or resolved.root)
    cwd = heard.cwd or os.getcwd()
    if any(sweep.loss != "commits" and not sweep.bypass for sweep in git_commands.sweeps(heard.command)):
        return True
    return any(_within(place, path) for path in effects.named(heard.command, cwd).paths)


def _within(place: str, path: str) -> bool:
    folder, name = os.path.split(os.path.normpath(path))
    real = os.path.join(os.path.realpath(folder), name)
    return real == place or real.startswith(place + os.sep)
