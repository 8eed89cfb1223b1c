"""What a project's database is made of, for doors that look at it without working on it. Nothing is changed.

What there should be is what a new database has: the tables of the protocol and Comity's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from comity.store import migrate
from comity.store.inspection import Inspection, form, library, log_bytes, notification

__all__ = ["Database", "ddl", "form", "library", "log_bytes", "newest_schema", "notification", "tables"]


class Column(NamedTuple):
    """One column of a table; ``primary_key`` is its place in the primary key, if it has one."""

    name: str
    type: str
    not_null: bool
    default: str | None
    primary_key: int | None


class SchemaObject(NamedTuple):
    """An index or a trigger."""

    name: str
    sql: str


class Table(NamedTuple):
    """A table or a view, with the SQL that makes it."""

    name: str
    type: str
    columns: list[Column]
    sql: str
    indexes: list[SchemaObject]
    triggers: list[SchemaObject]


class Differences(NamedTuple):
    """Names of what is not as in a new database: tables that are missing, tables with other columns; indexes and
    triggers that are missing.
    """

    missing: list[str]
    other: list[str]
    lost: list[str]


def newest_schema() -> int:
    """The number of the newest migration that this Comity knows."""
    return migrate.newest()


def ddl() -> str:
    """The SQL that makes a new database."""
    return "\n".join(migrate.read(name).rstrip() + "\n" for name in migrate.migrations())


@cache
def tables() -> tuple[Table, ...]:
    """Every table and view of a new database."""
    with Inspection.fresh() as new:
        found: dict[str, Table] = {}
        internal = new.internal()
        for kind, name, table, sql in new.parts():
            if name in internal:
                continue
            if kind in ("table", "view"):
                found[name] = Table(name, kind, list(_columns(new, name)), sql, [], [])
            else:
                owner = found[table]
                (owner.indexes if kind == "index" else owner.triggers).append(SchemaObject(name, sql))
        return tuple(found.values())


def _columns(looked: Inspection, table: str) -> Iterator[Column]:
    for name, kind, not_null, default, key in looked.columns(table):
        yield Column(name, kind, not_null, default, key or None)


class Database(Inspection):
    """A project's database, compared with a new one."""

    def foreign(self) -> list[str]:
        """Triggers and views that are neither the protocol's nor Comity's: they run inside the writes of others."""
        ours = {name: _bare(sql) for table in tables() for name, sql in ((table.name, table.sql), *table.triggers)}
        parts = [(kind, name, sql) for kind, name, _, sql in self.parts() if kind in ("trigger", "view")]
        return [f"{kind} {name}" for kind, name, sql in parts if ours.get(name) != _bare(sql)]

    def differences(self) -> Differences:
        """What differs from a new database."""
        there = {name for _, name, _, _ in self.parts()}
        found = Differences([], [], [])
        for table in tables():
            columns = {(column.name, column.type, column.primary_key) for column in _columns(self, table.name)}
            if not columns:
                found.missing.append(table.name)
            elif not columns >= {(column.name, column.type, column.primary_key) for column in table.columns}:
                found.other.append(table.name)
            found.lost.extend(part.name for part in (*table.indexes, *table.triggers) if part.name not in there)
        return found


def _bare(sql: str) -> str:
    return " ".join(sql.split())
