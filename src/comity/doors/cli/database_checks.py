"""Checks of the database file. They change nothing.

A file is opened only when it exists and says that it is a SQLite database in WAL mode: opening any other one would
change it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from comity.database import Database, form, log_bytes, newest_schema
from comity.doors.cli import session_checks, worktree_checks
from comity.doors.cli.file_system_checks import existing
from comity.doors.cli.findings import Finding, fail, ok, warn
from comity.doors.cli.screen import count, size
from comity.settings import Settings
from comity.system import files
from comity.workspace import from_settings

_LARGE_LOG_BYTES = 100_000_000
_MUCH_FINISHED = 50_000
_NEAR_FULL = 0.8


def database(settings: Settings) -> Iterator[Finding]:
    """Everything about the file."""
    path = settings.db
    if not os.path.lexists(path):
        folder = existing(os.path.dirname(path))
        if not os.access(folder, os.W_OK):
            yield fail("Database", f"{path} cannot be made in {folder}", "Give this user write access to the folder.")
        else:
            yield warn("Database", f"{path} does not exist yet", "It is made when the first agent starts.")
        return
    if files.kind_of(path) != "file":
        yield fail("Database", f"{path} is not a file", "Name another one with --db, or move this away.")
        return
    yield from _permissions(path)
    try:
        found = form(path)
    except OSError as error:
        yield fail("Database", f"{path}: {error.strerror}", "Name another one with --db, or move this away.")
        return
    if found == "empty":
        yield warn("Database", f"{path} is empty", "It is filled when the first agent starts.")
    elif found == "strange":
        yield fail("Database", f"{path} is not a SQLite database", "Name another one with --db, or move this away.")
    elif found == "rollback":
        hint = "Comity changes that when an agent starts; is it the right file?"
        yield warn("Database", f"{path} is not in WAL mode", hint)
        yield from _frozen(path)
    else:
        yield ok("Database", f"{path}, {_sizes(path)}, WAL mode")
        yield from _log(path)
        yield from _inside(settings)


def _permissions(path: str) -> Iterator[Finding]:
    folder = os.path.dirname(path)
    denied = [place for place in (path, folder) if not os.access(place, os.R_OK | os.W_OK)]
    mode = stat.S_IMODE(os.stat(path).st_mode)
    if denied:
        yield fail("Permissions", f"{denied[0]} is not writable", "Give this user read and write access.")
    elif mode & 0o077 and os.stat(folder).st_mode & 0o011:
        yield warn("Permissions", f"{mode:04o}: other users can open it", f"chmod 600 {path}")
    else:
        yield ok("Permissions", f"{mode:04o}")


def _sizes(path: str) -> str:
    return size(os.stat(path).st_size)


def _log(path: str) -> Iterator[Finding]:
    length = log_bytes(path)
    if length > _LARGE_LOG_BYTES:
        hint = "A process reads for very long and keeps the log from being reused: `comity agents`."
        yield warn("Log", size(length), hint)
    else:
        yield ok("Log", size(length))


def _frozen(path: str) -> Iterator[Finding]:
    """Whether a file that is not in WAL mode is whole; it is not changed."""
    with Database.frozen(path) as looked:
        yield _integrity(looked)


def _integrity(looked: Database) -> Finding:
    """SQLite's own check."""
    if errors := looked.errors():
        return fail("Integrity", "; ".join(errors), "Stop the agents, keep a copy with its -wal, restore a backup.")
    return ok("Integrity", "quick_check: ok")


def _inside(settings: Settings) -> Iterator[Finding]:
    with Database.of(settings.db) as looked:
        whole = _integrity(looked)
        yield whole
        if whole.status != "ok":
            return
        yield from _foreign(looked)
        finding, complete = _inventory(looked)
        yield finding
        if complete:
            yield from _malformed(looked)
    if complete:
        yield from _contents(settings)


def _foreign(looked: Database) -> Iterator[Finding]:
    """What a newer Comity made of the file, and triggers and views that are neither the protocol's nor Comity's."""
    found, known = looked.schema(), newest_schema()
    if found > known:
        yield fail("Schema", f"of a newer Comity: {found}, this one knows {known}", "Upgrade Comity here.")
        return
    if foreign := looked.foreign():
        told = "".join(sign if sign.isprintable() else "?" for sign in ", ".join(foreign))[:300]
        hint = "They run inside the writes of whoever uses the file. Drop what you do not know: DROP TRIGGER name."
        yield warn("Triggers", f"not the protocol's, and not Comity's: {told}", hint)


def _inventory(looked: Database) -> tuple[Finding, bool]:
    """The tables against those of a new database, and whether every one is there."""
    missing, other, lost = looked.differences()
    if other:
        hint = "Another program changed the tables; keep a copy and start with a new database."
        return fail("Tables", f"not as the protocol has them: {', '.join(other)}", hint), False
    if missing and looked.schema() >= newest_schema():
        hint = "Somebody removed them, and they are not made again: restore a backup, or move the file away."
        return fail("Tables", f"lost: {', '.join(missing)}", hint), False
    if missing:
        hint = "They are added when an agent of Comity starts."
        return warn("Tables", f"not there yet: {', '.join(missing)}", hint), False
    if lost:
        hint = "`comity schema --sql` has them."
        return warn("Tables", f"indexes or triggers are missing: {', '.join(lost)}", hint), False
    return ok("Tables", "as the protocol has them"), True


def _malformed(looked: Database) -> Iterator[Finding]:
    if number := looked.malformed_messages():
        hint = "Written by another program; a poll sets them aside and reports them."
        yield warn("Malformed rows", count(number, "message"), hint)
    else:
        yield ok("Malformed rows", "none")


def _contents(settings: Settings) -> Iterator[Finding]:
    """Growth and full queues, asked of the operations."""
    with from_settings(settings) as workspace:
        agents = workspace.agent.list().agents
        held = workspace.workspace.status()
        worktrees = list(worktree_checks.of(workspace))
    finished = max(0, held.deliveries - held.pending.total)
    detail = f"{count(finished, 'finished message')}, {count(held.events, 'event')}"
    if finished > _MUCH_FINISHED or held.events > 4 * _MUCH_FINISHED:
        yield warn("Growth", detail, "`comity prune --older-than-days 7`")
    else:
        yield ok("Growth", detail)
    full = [agent for agent in agents if agent.pending_deliveries >= agent.max_pending_messages * _NEAR_FULL]
    for agent in full:
        detail = f"{agent.agent_id}: {agent.pending_deliveries} of {agent.max_pending_messages} pending"
        yield warn("Queue", detail, "It does not poll: look at it, or let it leave.")
    if not full:
        yield ok("Queues", f"{count(len(agents), 'agent')}, none near its limit")
    yield from session_checks.of_agents(agents)
    yield from worktrees
