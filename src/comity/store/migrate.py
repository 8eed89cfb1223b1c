"""Bringing a file to the newest schema: the wire tables if absent, then Comity's own numbered migrations.

Which migrations a file has is kept in ``comity_schema``; the protocol's own version fields stay untouched.
"""

from __future__ import annotations

import os

import apsw

from comity.kernel.problem import Unavailable

_FOLDER = os.path.join(os.path.dirname(__file__), "schema")
# How many triggers and views the newest schema has, and the characters of their SQL.
OWN_PARTS = (20, 4697)
_TABLE = """
CREATE TABLE IF NOT EXISTS comity_schema (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL)
"""


def migrate(connection: apsw.Connection) -> None:
    """Apply what is missing, in one transaction. Costs one small read when nothing is.

    Raises Unavailable ``store.newer`` for a database that a later Comity has changed: what it means by its tables is
    not known here.
    """
    found, known = version(connection), newest()
    if found > known:
        raise Unavailable(
            "store.newer",
            f"The database is of a newer Comity: its schema is {found}, this Comity knows {known}.",
            "Upgrade Comity here (pipx upgrade comity), or name another database with --db.",
            schema=found,
            known=known,
        )
    if found == known:
        return
    connection.execute("BEGIN IMMEDIATE").fetchall()
    try:
        connection.execute(_TABLE).fetchall()
        done = version(connection)
        for name in migrations():
            number = int(name[:4])
            if number > done:
                connection.execute(read(name)).fetchall()
                connection.execute(
                    "INSERT INTO comity_schema VALUES (?, ?, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
                    (number, name[5:-4]),
                ).fetchall()
        connection.execute("COMMIT").fetchall()
    except BaseException:
        connection.execute("ROLLBACK").fetchall()
        raise


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


def is_plain(connection: apsw.Connection) -> bool:
    """Whether triggers and views are those that this Comity and the protocol make, as far as number and size tell."""
    found = connection.execute(
        "SELECT count(*), coalesce(sum(length(sql)), 0) FROM sqlite_schema WHERE type IN ('trigger', 'view')"
    ).fetchall()
    return found == [OWN_PARTS]


def version(connection: apsw.Connection) -> int:
    """The newest migration that the file has; 0 for none."""
    known = connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'comity_schema'").fetchall()
    if not known:
        return 0
    rows = connection.execute("SELECT coalesce(max(version), 0) FROM comity_schema").fetchall()
    return int(str(rows[0][0]))
