"""Bringing a file to the newest schema: the wire tables if absent, then Comity's own numbered migrations.

Which migrations a file has is kept in ``comity_schema``; the protocol's own version fields stay untouched.
"""

from __future__ import annotations

import os

import apsw

from comity.kernel.problem import Unavailable

_FOLDER = os.path.join(os.path.dirname(__file__), "schema")
# How many triggers and views the newest schema has, and the characters of their SQL.
OWN_PARTS = (24, 6580)
_TABLE = """
CREATE TABLE IF NOT EXISTS comity_schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)
"""


def migrate(connection: apsw.Connection) -> bool:
    """Apply what is missing, in one transaction. Costs one small read when nothing is.

    Whether triggers and views are now those that this Comity and the protocol make, as far as number and size tell.
    Raises Unavailable ``store.newer`` for a database that a later Comity has changed: what it means by its tables is
    not known here.
    """
    ours, parts = _looked(connection)
    found, known = _applied(connection) if ours else 0, newest()
    if found > known:
        raise Unavailable(
            "store.newer",
            f"The database is of a newer Comity: its schema is {found}, this Comity knows {known}.",
            "Upgrade Comity here (pipx upgrade comity), or name another database with --db.",
            schema=found,
            known=known,
        )
    if found == known:
        return parts == OWN_PARTS
    connection.execute("BEGIN IMMEDIATE").fetchall()
    try:
        connection.execute(_TABLE).fetchall()
        done = _applied(connection)
        for name in migrations():
            number = int(name[:4])
            if number > done:
                connection.execute(read(name)).fetchall()
                connection.execute(
                    "INSERT INTO comity_schema VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
                    (number, name[5:-4]),
                ).fetchall()
        parts = _looked(connection)[1]
        connection.execute("COMMIT").fetchall()
    except BaseException:
        connection.execute("ROLLBACK").fetchall()
        raise
    return parts == OWN_PARTS


def migrations() -> list[str]:
    """File names of all migrations, oldest first."""
    return sorted(name for name in os.listdir(_FOLDER) if name.endswith(".sql"))


def newest() -> int:
    """The number of the newest migration."""
    return int(migrations()[-1][:4])


def read(name: str) -> str:
    """The text of one migration."""
    with open(os.path.join(_FOLDER, name), encoding="utf-8") as file:
        return file.read()


def version(connection: apsw.Connection) -> int:
    """The newest migration that the file has; 0 for none."""
    return _applied(connection) if _looked(connection)[0] else 0


def _looked(connection: apsw.Connection) -> tuple[bool, tuple[int, int]]:
    """Whether the table of migrations is there; how many triggers and views there are, and how long their SQL is."""
    rows = connection.execute(
        "SELECT total(name = 'comity_schema'), count(CASE WHEN type IN ('trigger', 'view') THEN 1 END),"
        " total(CASE WHEN type IN ('trigger', 'view') THEN length(sql) END) FROM sqlite_schema"
    ).fetchall()
    known, count, length = rows[0]
    return bool(known), (int(str(count)), int(float(str(length))))


def _applied(connection: apsw.Connection) -> int:
    rows = connection.execute("SELECT coalesce(max(version), 0) FROM comity_schema").fetchall()
    return int(str(rows[0][0]))
