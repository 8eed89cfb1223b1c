"""Checks of what came with the repository: settings that are set aside, files of ours in git, hosts' environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from comity import trust
from comity.doors.cli.findings import Finding, fail, warn
from comity.hosts import init_record
from comity.hosts.environment import assignments
from comity.hosts.layout import workspace
from comity.project import tracked
from comity.server.folder import agreement
from comity.settings import Settings


def set_aside(settings: Settings) -> Iterator[Finding]:
    """Each setting of a file of the tree that does not count, and why."""
    found = agreement.look(settings.root)
    for problem in found.problems:
        yield fail("Settings", problem.message, problem.hint)
    for wish in found.left:
        why = "it came with the repository" if wish.came else "you did not agree to it"
        why = "it changed since you agreed" if wish.state == "changed" else why
        for one in wish.asks:
            yield warn("Settings", f"{one.file} sets {one.text}: set aside, since {why}", "Agree with `comity trust`.")
    wrong = trust.load().wrong
    if wrong:
        hint = "It counts as empty. Delete it, and agree anew with `comity trust`."
        yield warn("Settings", f"the record of what you agreed to, {trust.where()}: {wrong}", hint)
    if os.path.lexists(os.path.join(settings.root, init_record.NAME)) and tracked(settings.root, (init_record.NAME,)):
        hint = f"`git rm --cached {init_record.NAME}`, then delete it, unless you know that it is yours."
        yield warn("Settings", f"{init_record.NAME} came with the repository: init does not take it for its own", hint)


def environment(_: Settings) -> Iterator[Finding]:
    """What committed files of hosts set for the programs they start."""
    for one in assignments(workspace(Path.cwd()).checkout):
        said = f"{one.file}, which came with the repository, sets {one.name}={one.value} for the host's programs"
        hint = "Take it out of the file, unless you want it so."
        yield warn("Environment", f"{said}: it counts as if you had set it", hint)
