"""``comity init --user-hooks``: hooks in the user's own settings, for every folder.

They concern all that the user does, so without a terminal they are only named: a script, or an agent, writes none.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from comity.doors.cli.screen import Column, Screen
from comity.hosts import asking, user_hooks
from comity.hosts.user_hooks import PLACES, UserFile
from comity.kernel.named_tuple import NamedTuple

_STYLES = {"skipped": "bold red", "unchanged": "dim"}


class UserHooks(NamedTuple):
    """What was done, or would be. ``written``: false where the files were only named."""

    files: tuple[UserFile, ...]
    written: bool
    asked: bool

    @property
    def exit_code(self) -> int:
        """0, unless a file could not be read or written."""
        return max((one.problem.exit_code for one in self.files if one.problem is not None), default=0)


def install(names: tuple[str, ...] | None, *, dry_run: bool, remove: bool) -> UserHooks:
    """Plan, and write where somebody sits at a terminal."""
    here = Path(os.getcwd())
    planned = user_hooks.plan(names, os.environ, {} if remove else asking.versions(here, names), remove=remove)
    writes = not dry_run and sys.stdin is not None and sys.stdin.isatty()
    return UserHooks(user_hooks.apply(planned, os.environ) if writes else planned, writes, not dry_run)


def plain(answer: UserHooks) -> dict[str, Any]:
    """What a program is told."""
    listed = [
        {"host": one.host, "file": str(one.path), "action": one.action, "written": answer.written and one.writes}
        for one in answer.files
    ]
    problems = [one.problem.as_dict() for one in answer.files if one.problem is not None]
    return {"userFiles": listed, "written": answer.written, "problems": problems}


def show(screen: Screen, answer: UserHooks) -> None:
    """The files, and what is left to the user."""
    rows = [((one.action, _STYLES.get(one.action, "green")), one.title, str(one.path)) for one in answer.files]
    screen.table(
        [Column("Done" if answer.written else "Would do"), Column("Host"), Column("File", flexible=True)], rows
    )
    if not answer.files:
        screen.say("No agent host with user-level hooks is on this machine; --hosts names some.")
    for one in answer.files:
        todo = PLACES[one.host].todo
        if todo and one.writes and one.entry is not None:
            screen.say(("note: ", "yellow"), f"hooks of {one.title}: {todo}")
        if one.problem is not None:
            screen.say(("problem: ", "bold red"), one.problem.message)
            screen.say(one.problem.hint, indent=2)
    if answer.asked and not answer.written and any(one.writes for one in answer.files):
        screen.say(("note: ", "yellow"), "nothing was written: your own settings are changed at a terminal only")
