"""Checks of the database file. They change nothing: the connection only queries and leaves the log as it is.

A file is opened only when it exists and says that it is a SQLite database in WAL mode: opening any other one would
change it. Its first bytes are read before SQLite has it open in this process, since closing a descriptor later would
drop SQLite's locks.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from typing import Any

from comity.doors.cli.describe import tables
from comity.doors.cli.findings import Finding, fail, ok, warn
from comity.doors.cli.machine_checks import existing
from comity.doors.cli.screen import count, size
from comity.settings import Settings
from comity.store import migrate
from comity.store.connection import connect, connect_frozen
from comity.system import files
from comity.workspace import from_settings

_MAGIC = b"SQLite format 3\0"
_WAL = 2  # both format versions in the header of a database in WAL mode
_NO_CHECKPOINT_ON_CLOSE = 1006  # SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE
_LARGE_LOG_BYTES = 100_000_000
_MUCH_FINISHED = 50_000
_NEAR_FULL = 0.8
_MALFORMED = """
SELECT count(*) FROM messages
WHERE state NOT IN ('queued', 'surfaced', 'acknowledged', 'expired', 'dropped')
  OR (state IN ('queued', 'surfaced') AND (priority NOT IN (0, 1, 2, 3) OR strftime('%s', timestamp) IS NULL
    OR NOT json_valid(from_json) OR NOT json_valid(context_json) OR NOT json_valid(ack_json)))
"""


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
        descriptor = files.open_file(*os.path.split(path), os.O_RDONLY)
    except OSError as error:
        yield fail("Database", f"{path}: {error.strerror}", "Name another one with --db, or move this away.")
        return
    head = os.read(descriptor, 20)
    os.close(descriptor)
    if not head:
        yield warn("Database", f"{path} is empty", "It is filled when the first agent starts.")
    elif not head.startswith(_MAGIC):
        yield fail("Database", f"{path} is not a SQLite database", "Name another one with --db, or move this away.")
    elif len(head) < 20 or head[18] != _WAL or head[19] != _WAL:
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
    try:
        length = os.stat(path + "-wal").st_size
    except OSError:
        length = 0
    if length > _LARGE_LOG_BYTES:
        hint = "A process reads for very long and keeps the log from being reused: `comity agents`."
        yield warn("Log", size(length), hint)
    else:
        yield ok("Log", size(length))


def _frozen(path: str) -> Iterator[Finding]:
    """Whether a file that is not in WAL mode is whole; it is not changed."""
    connection = connect_frozen(path)
    try:
        yield _integrity(connection)
    finally:
        connection.close()


def _integrity(connection: Any) -> Finding:
    """SQLite's own check; an error that it raises is an answer, too."""
    try:
        said = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)").fetchall()]
    except Exception as error:  # noqa: BLE001 (the driver is the store's: whatever it says of the file is the finding)
        said = [str(error)]
    if said == ["ok"]:
        return ok("Integrity", "quick_check: ok")
    return fail("Integrity", "; ".join(said), "Stop the agents, keep a copy with its -wal, restore a backup.")


def _inside(settings: Settings) -> Iterator[Finding]:
    connection: Any = connect(settings.db, "normal")
    try:
        connection.config(_NO_CHECKPOINT_ON_CLOSE, 1)
        connection.execute("PRAGMA query_only = ON").fetchall()
        whole = _integrity(connection)
        yield whole
        if whole.status != "ok":
            return
        yield from _foreign(connection)
        findings, complete = _inventory(connection)
        yield from findings
        if complete:
            yield from _malformed(connection)
    finally:
        connection.close()
    if complete:
        yield from _contents(settings)


def _foreign(connection: Any) -> Iterator[Finding]:
    """What a newer Comity made of the file, and triggers and views that are neither the protocol's nor Comity's."""
    found, known = migrate.version(connection), migrate.newest()
    if found > known:
        yield fail("Schema", f"of a newer Comity: {found}, this one knows {known}", "Upgrade Comity here.")
        return
    ours = {part["name"]: _bare(part["sql"]) for table in tables() for part in (table, *table["triggers"])}
    rows = connection.execute("SELECT type, name, sql FROM sqlite_schema WHERE type IN ('trigger', 'view')").fetchall()
    foreign = [f"{kind} {name}" for kind, name, sql in rows if ours.get(name) != _bare(str(sql))]
    if foreign:
        told = "".join(sign if sign.isprintable() else "?" for sign in ", ".join(foreign))[:300]
        hint = "They run inside the writes of whoever uses the file. Drop what you do not know: DROP TRIGGER name."
        yield warn("Triggers", f"not the protocol's, and not Comity's: {told}", hint)


def _bare(sql: str) -> str:
    return " ".join(sql.split())


def _inventory(connection: Any) -> tuple[list[Finding], bool]:
    """The tables against those of a new database, and whether every one is there."""
    missing, other = [], []
    for table in tables():
        rows = connection.execute("SELECT name, type, pk FROM pragma_table_info(?)", (table["name"],)).fetchall()
        wanted = [(column["name"], column["type"], column["primaryKey"] or 0) for column in table["columns"]]
        if not rows:
            missing.append(table["name"])
        elif not set(wanted) <= set(rows):
            other.append(table["name"])
    if other:
        hint = "Another program changed the tables; keep a copy and start with a new database."
        return [fail("Tables", f"not as the protocol has them: {', '.join(other)}", hint)], False
    if missing and migrate.version(connection) >= migrate.newest():
        hint = "Somebody removed them, and they are not made again: restore a backup, or move the file away."
        return [fail("Tables", f"lost: {', '.join(missing)}", hint)], False
    if missing:
        hint = "They are added when an agent of Comity starts."
        return [warn("Tables", f"not there yet: {', '.join(missing)}", hint)], False
    there = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema").fetchall()}
    parts = [part["name"] for table in tables() for part in (*table["indexes"], *table["triggers"])]
    if lost := [name for name in parts if name not in there]:
        hint = "`comity schema --sql` has them."
        return [warn("Tables", f"indexes or triggers are missing: {', '.join(lost)}", hint)], False
    return [ok("Tables", "as the protocol has them")], True


def _malformed(connection: Any) -> Iterator[Finding]:
    number = connection.execute(_MALFORMED).fetchall()[0][0]
    if number:
        hint = "Written by another program; a poll sets them aside and reports them."
        yield warn("Malformed rows", count(number, "message"), hint)
    else:
        yield ok("Malformed rows", "none")


def _contents(settings: Settings) -> Iterator[Finding]:
    """Growth and full queues, asked of the operations."""
    with from_settings(settings) as workspace:
        agents = workspace.agent.list().agents
        held = workspace.workspace.status()
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
