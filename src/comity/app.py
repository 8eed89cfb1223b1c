"""The assembler: from where one stands to an open workspace."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module

from comity import settings
from comity.loops.loop import Late, Loop
from comity.loops.reaper import Reaper
from comity.loops.retention import Retention
from comity.loops.token_use import Noting
from comity.setting_list import SETTINGS
from comity.settings import Settings
from comity.workspace import Workspace, from_settings

_RADAR_S = 0.5  # how often its checkouts are looked at; before there are two, one folder
_JOBS_S = 2.0  # how often a session looks for jobs
_MAIL_S = 600.0  # how often a process looks after mail that waits


def open(path: str | os.PathLike[str] | None = None, **options: str) -> Workspace:
    """Open the workspace of a project folder, or a database file, as one agent.

    ``path`` is a folder in a project (the working directory when left out) or a database file. ``options`` are the
    settings of ``comity mcp`` as keywords: ``agent_id``, ``agent_name``, ``channel``, ``durability`` and so on. Nothing
    is registered: call ``workspace.session.start()`` to take part. Raises Invalid, Forbidden and Unavailable.
    """
    unknown = sorted(set(options) - {setting.name for setting in SETTINGS})
    if unknown:
        raise TypeError(f"open() has no option {unknown[0]!r}")
    cwd = os.getcwd()
    flags: dict[str, str | None] = dict(options)
    if path is not None:
        target = os.fspath(path)
        if os.path.isdir(target):
            cwd = target
        else:
            flags["db"] = target
    return living(settings.resolve(flags, os.environ, cwd))


def living(resolved: Settings) -> Workspace:
    """The workspace that resolved settings describe, with the loops that run as long as it is open."""
    workspace = from_settings(resolved)

    def mail() -> Loop:
        made: Loop = import_module("comity.loops.mail").Mail(workspace)
        return made

    for loop in (Reaper(workspace), Late("mail", _MAIL_S, lambda: True, mail)):
        workspace.at_close(loop.stop)
        loop.start()
    return workspace


def working(resolved: Settings) -> Workspace:
    """The same for an agent's session, which also carries out jobs that no server takes."""
    workspace = living(resolved)

    def runner() -> Loop:
        made: Loop = import_module("comity.loops.job_runner").JobRunner(workspace, resolved.job_minutes * 60)
        return made

    def waits() -> bool:
        with workspace.store.reading() as tx:
            return tx.one("jobs.any_open") is not None

    for loop in (Late("jobs", _JOBS_S, waits, runner), _radar(workspace, resolved)):
        workspace.at_close(loop.stop)
        loop.start()
    return workspace


def _radar(workspace: Workspace, resolved: Settings) -> Loop:
    """Looks for coming conflicts, once there is a second checkout."""

    def watch() -> Loop:
        made: Loop = import_module("comity.loops.radar").RadarWatch(workspace)
        return made

    folder = os.path.join(resolved.git, "worktrees") if resolved.git else ""
    return Late("radar", _RADAR_S, lambda: bool(folder) and os.path.isdir(folder), watch)


def answering(resolved: Settings) -> Callable[[], None]:
    """Answer the hooks of the project's hosts, which then start nothing heavy, until what is returned is called.

    Its modules are loaded when the first hook asks.
    """
    if os.name != "posix":
        return lambda: None
    answer: Callable[[str], Callable[[], None]] = import_module("comity.doors.hook.answering").begin
    return answer(resolved.root)


def tend(workspace: Workspace, retention_days: float, note_used: Callable[[], object]) -> None:
    """Start what a server does by the clock besides: remove what is old, and note which tokens were used."""
    loops = [Noting(note_used), *([Retention(workspace, retention_days)] if retention_days else [])]
    for loop in loops:
        workspace.at_close(loop.stop)
        loop.start()
