"""Databases that the branch brings: tracked by git, with foreign triggers, of other schemas, damaged."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apsw

from tests.hostile.registry import OWN, hostile
from tests.hostile.world import STRANGER, World, hold

_TRACKED = ("tracked", "git tracks")
_APPLICATION = ("comity_sessions", "comity_claims")


def _altered(world: World, *statements: str, path: Path | None = None) -> None:
    connection = apsw.Connection(str(path or world.database))
    try:
        for statement in statements:
            connection.execute(statement).fetchall()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    finally:
        connection.close()


def _track(world: World) -> None:
    world.track(world.database)


@hostile(*_TRACKED, doors=OWN)
def tracked_database(folder: Path, world: World) -> None:
    """The branch tracks the database; agents and tasks of strangers stand in it."""
    hold(folder, STRANGER, ("README",))
    _altered(world, "PRAGMA user_version")
    _track(world)


@hostile(*_TRACKED, doors=OWN)
def tracked_database_and_log_link(folder: Path, world: World) -> None:
    """F1 without settings: a trigger's words are a shell command, and the log is a link to .bashrc."""
    _altered(world, *_raising("agents"), *_raising("sessions"), *_raising("audit_log"))
    log = world.link(world.beside(".hooks.log"), "../../../.bashrc")
    world.track(world.database, log)


def _raising(table: str) -> tuple[str, ...]:
    text = "$(cd;touch PWNED)"
    return tuple(
        f"CREATE TRIGGER IF NOT EXISTS evil_{table}_{verb} BEFORE {verb} ON {table} BEGIN"
        f" SELECT RAISE(ABORT, '{text}'); END"
        for verb in ("INSERT", "UPDATE")
        if table in _tables()
    )


def _tables() -> tuple[str, ...]:
    return ("agents", "sessions", "audit_log", "messages")


@hostile("trigger", doors=OWN)
def trigger_raises(folder: Path, world: World) -> None:
    """An untracked database with a trigger that refuses every event with a shell command."""
    _altered(world, *_raising("agents"), *_raising("audit_log"))


@hostile("trigger", doors=OWN)
def trigger_loops(folder: Path, world: World) -> None:
    """A trigger that never comes to its end."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"
    _altered(
        world,
        f"CREATE TRIGGER evil_agents AFTER INSERT ON agents BEGIN {endless}; END",
        f"CREATE TRIGGER evil_touched AFTER UPDATE ON agents BEGIN {endless}; END",
        f"CREATE TRIGGER evil_log AFTER INSERT ON audit_log BEGIN {endless}; END",
    )


@hostile("trigger", doors=OWN, few=True)
def trigger_fills(folder: Path, world: World) -> None:
    """A trigger that writes large values for ever."""
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
    grow = f"INSERT INTO evil {endless} SELECT zeroblob(1000000) FROM n"
    _altered(
        world,
        "CREATE TABLE evil (data)",
        f"CREATE TRIGGER evil_log AFTER INSERT ON audit_log BEGIN {grow}; END",
    )


@hostile("trigger", doors=OWN, few=True)
def trigger_forges(folder: Path, world: World) -> None:
    """A trigger that takes every claim for another agent."""
    _altered(
        world,
        "CREATE TRIGGER evil_log AFTER INSERT ON audit_log BEGIN UPDATE ext_file_claims SET agent_id = 'evil'; END"
        if _has(world, "ext_file_claims")
        else "CREATE TRIGGER evil_log AFTER INSERT ON audit_log BEGIN UPDATE agents SET name = 'evil'; END",
    )


def _has(world: World, table: str) -> bool:
    connection = apsw.Connection(str(world.database))
    try:
        found = connection.execute("SELECT count(*) FROM sqlite_schema WHERE name = ?", (table,)).fetchall()
    finally:
        connection.close()
    return bool(found[0][0])


@hostile("newer", doors=OWN)
def newer_schema(folder: Path, world: World) -> None:
    """A database that a later Comity made."""
    _altered(
        world,
        "INSERT INTO comity_schema SELECT 99, name, applied_at FROM comity_schema LIMIT 1",
        "PRAGMA user_version = 99",
    )


def _damage(data: bytes) -> bytes:
    return data[:4096] + b"\xff" * (len(data) - 4096)


def _header(data: bytes) -> bytes:
    return data[:16] + b"\xff" * 84 + data[100:]


def _short(data: bytes) -> bytes:
    return data[: len(data) // 2 + 700]


def _spoiled(world: World, how: Callable[[bytes], bytes]) -> None:
    _altered(world, "PRAGMA user_version")
    data = world.database.read_bytes()
    for suffix in ("-wal", "-shm"):
        world.beside(suffix).unlink(missing_ok=True)
    world.database.write_bytes(how(data))


@hostile("damaged", "malformed", "integrity", "not a database", doors=OWN)
def damaged_pages(folder: Path, world: World) -> None:
    """All pages but the first are overwritten."""
    _spoiled(world, _damage)


@hostile("damaged", "malformed", "not a database", "WAL mode", doors=OWN, few=True)
def damaged_header(folder: Path, world: World) -> None:
    """The header says nonsense."""
    _spoiled(world, _header)


@hostile("damaged", "malformed", "integrity", "not a database", doors=OWN, few=True)
def cut_database(folder: Path, world: World) -> None:
    """Half of the file is missing."""
    _spoiled(world, _short)


@hostile("tables", "not as the protocol", doors=OWN)
def view_instead_of_a_table(folder: Path, world: World) -> None:
    """The table of agents is a view that never ends."""
    _altered(
        world,
        "PRAGMA foreign_keys = OFF",
        "PRAGMA legacy_alter_table = ON",
        "ALTER TABLE agents RENAME TO agents_of_before",
        "CREATE VIEW agents AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        " SELECT n.x AS made_up, a.* FROM n, agents_of_before a",
    )


@hostile("tables", "not there yet", "missing", doors=OWN, few=True)
def tables_are_missing(folder: Path, world: World) -> None:
    """Comity's own tables are gone, the protocol's are there."""
    connection = apsw.Connection(str(world.database))
    try:
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'comity\\_%' ESCAPE '\\'"
            " AND name NOT LIKE '%fts%' AND name <> 'comity_schema'"
        ).fetchall()
    finally:
        connection.close()
    _altered(world, "PRAGMA foreign_keys = OFF", *(f"DROP TABLE {row[0]}" for row in names[:3]))


@hostile(doors=OWN, few=True)
def database_of_others(folder: Path, world: World) -> None:
    """The database is one of another program."""
    world.write(world.database, b"")
    for suffix in ("-wal", "-shm"):
        world.beside(suffix).unlink(missing_ok=True)
    _altered(world, "CREATE TABLE agents (a)", "CREATE TABLE words (word)", "PRAGMA application_id = 7")


@hostile("virtual", "generated", "tables", "damaged", "malformed", "trigger", doors=OWN, few=True)
def schema_is_forged(folder: Path, world: World) -> None:
    """The schema's own table holds words that are no SQL."""
    _altered(
        world,
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_schema SET sql = 'CREATE TABLE $(touch PWNED' WHERE name = 'agents'",
    )


@hostile("-journal", "-wal", few=True, doors=OWN)
def journals_of_strangers(folder: Path, world: World) -> None:
    """A hot journal and a log of another database lie beside the database."""
    world.track(
        world.write(world.beside("-journal"), b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + b"\0" * 5000),
        world.write(world.beside("-wal"), b"\x37\x7f\x06\x82" + b"\xff" * 50_000),
    )


@hostile("-wal", "tracked", "git tracks", doors=OWN)
def log_that_replaces_pages(folder: Path, world: World) -> None:
    """The branch tracks a whole log, which SQLite would play into the user's own database."""
    _altered(world, "PRAGMA user_version")
    kept = world.database.read_bytes()
    connection = apsw.Connection(str(world.database))
    try:
        connection.execute("PRAGMA journal_mode = WAL").fetchall()
        connection.wal_autocheckpoint(0)
        hold(folder, STRANGER, ("README",))
        log = world.beside("-wal").read_bytes()
    finally:
        connection.close()
    assert STRANGER.encode() in log
    for suffix in ("-wal", "-shm"):
        world.beside(suffix).unlink(missing_ok=True)
    world.database.write_bytes(kept)  # the same file
    world.track(world.write(world.beside("-wal"), log))
