"""The wire format as data, and a look at a file that does not go through Comity's own code.

The tables are those of MACP v1.0 (protocol reference sections 1.2 and 1.3). One line a column: name, type when it is
not TEXT, ``nn`` for NOT NULL, ``pk`` in order, ``unique``, ``=default`` and ``>table.column:on-delete``.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import apsw

CORE = """
agents
  agent_id pk
  name nn
  created_at nn
  last_registered_at nn
sessions
  session_id pk
  agent_id nn unique >agents.agent_id:no_action
  capabilities_json nn
  interest_tags_json nn
  queue_preferences_json nn
  state nn ='active'
  registered_at nn
channels
  channel_id pk
  name nn =''
  metadata_json nn ='{}'
  state nn ='active'
  created_at nn
channel_members
  channel_id nn pk >channels.channel_id:cascade
  agent_id nn pk >agents.agent_id:cascade
  session_id nn >sessions.session_id:cascade
  joined_at nn
messages
  delivery_id pk
  message_id nn
  channel_id >channels.channel_id:no_action
  from_json nn
  destination_type nn
  to nn
  content_type nn ='text/plain'
  priority INTEGER nn =0
  type nn ='discovery'
  content nn
  sequence_number INTEGER nn
  context_json nn
  ack_json nn
  timestamp nn
  ttl_seconds INTEGER nn =3600
  state nn ='queued'
  destination_agent_id nn >agents.agent_id:no_action
  created_at nn =datetime('now')
ack_states
  delivery_id nn pk >messages.delivery_id:cascade
  ack_level nn pk
  timestamp nn
audit_log
  id INTEGER pk
  event_type nn
  message_id
  delivery_id
  agent_id
  channel_id
  reason_code nn ='MACP_OK'
  timestamp nn
  metadata_json nn ='{}'
sequence_counters
  destination_key pk
  next_sequence INTEGER nn =1
"""

EXTENSION = """
macp_ext_agent_state
  agent_id pk >agents.agent_id:cascade
  status nn ='active'
  profile_slug
  reason
  changed_at nn
macp_ext_file_claims
  claim_id nn pk
  file_path nn pk
  agent_id nn >agents.agent_id:cascade
  session_id nn >sessions.session_id:cascade
  claimed_at nn
  expires_at nn
  reason
  released_at
  release_reason
macp_ext_memories
  memory_id pk
  scope nn
  memory_key nn
  value_text nn
  owner_agent_id >agents.agent_id:cascade
  channel_id >channels.channel_id:cascade
  tags_json nn ='[]'
  confidence nn ='stated'
  layer nn ='context'
  author_agent_id nn >agents.agent_id:cascade
  created_at nn
  updated_at nn
  archived_at
  archived_reason
macp_ext_profiles
  slug pk
  name nn
  role nn
  context_pack nn =''
  skills_json nn ='[]'
  memory_keys_json nn ='[]'
  vault_paths_json nn ='[]'
  author_agent_id nn >agents.agent_id:cascade
  created_at nn
  updated_at nn
macp_ext_goals
  goal_id pk
  goal_type nn
  title nn
  description nn =''
  status nn ='active'
  parent_goal_id >macp_ext_goals.goal_id:set_null
  owner_agent_id >agents.agent_id:set_null
  created_by_agent_id nn >agents.agent_id:cascade
  created_at nn
  updated_at nn
macp_ext_tasks
  task_id pk
  title nn
  description nn =''
  profile_slug >macp_ext_profiles.slug:set_null
  priority nn ='P2'
  status nn ='pending'
  goal_id >macp_ext_goals.goal_id:set_null
  parent_task_id >macp_ext_tasks.task_id:set_null
  dispatcher_agent_id nn >agents.agent_id:cascade
  assigned_agent_id >agents.agent_id:set_null
  assigned_session_id >sessions.session_id:set_null
  result_text
  reason_text
  created_at nn
  updated_at nn
  archived_at
macp_ext_vault_registry
  registry_id pk
  root_path nn
  updated_at nn
  updated_by_agent_id nn >agents.agent_id:cascade
macp_ext_vault_docs
  doc_id pk
  doc_path nn unique
  title nn
  content nn
  tags_json nn ='[]'
  source_path nn unique
  source_mtime nn
  content_hash nn
  updated_at nn
"""

CORE_INDEXES = {
    "idx_messages_message": ("messages", ("message_id",)),
    "idx_messages_state": ("messages", ("state",)),
    "idx_messages_dest": ("messages", ("destination_agent_id", "state")),
    "idx_messages_channel": ("messages", ("channel_id", "state")),
    "idx_messages_ttl": ("messages", ("timestamp", "ttl_seconds")),
    "idx_ack_states_delivery": ("ack_states", ("delivery_id",)),
    "idx_audit_timestamp": ("audit_log", ("timestamp",)),
    "idx_sessions_agent": ("sessions", ("agent_id",)),
}
EXTENSION_INDEXES = {
    "idx_macp_ext_file_claims_active": ("macp_ext_file_claims", ("file_path", "released_at", "expires_at")),
    "idx_macp_ext_file_claims_agent": ("macp_ext_file_claims", ("agent_id", "released_at", "expires_at")),
    "idx_macp_ext_memories_lookup": (
        "macp_ext_memories",
        ("scope", "memory_key", "owner_agent_id", "channel_id", "archived_at", "updated_at"),
    ),
    "idx_macp_ext_memories_author": ("macp_ext_memories", ("author_agent_id", "archived_at", "updated_at")),
    "idx_macp_ext_goals_parent": ("macp_ext_goals", ("parent_goal_id", "status", "updated_at")),
    "idx_macp_ext_tasks_list": ("macp_ext_tasks", ("status", "priority", "profile_slug", "goal_id", "updated_at")),
    "idx_macp_ext_vault_docs_path": ("macp_ext_vault_docs", ("doc_path", "updated_at")),
}


class Column(NamedTuple):
    """One column. ``pk`` is its place in the key, 0 for none; ``link`` is (table, column, on delete)."""

    name: str
    type: str
    not_null: bool
    default: str | None
    pk: int
    unique: bool
    link: tuple[str, str, str] | None


def tables(text: str) -> dict[str, list[Column]]:
    """The tables of ``CORE`` or ``EXTENSION``."""
    found: dict[str, list[Column]] = {}
    columns: list[Column] = []
    for line in text.strip().splitlines():
        if not line.startswith(" "):
            columns = found.setdefault(line, [])
            continue
        name, *words = line.split()
        default = next((word[1:] for word in words if word.startswith("=")), None)
        link = None
        for word in words:
            if word.startswith(">"):
                target, _, action = word[1:].partition(":")
                table, _, column = target.partition(".")
                link = (table, column, action.replace("_", " ").upper())
        place = 1 + sum(column.pk > 0 for column in columns) if "pk" in words else 0
        kind = "INTEGER" if "INTEGER" in words else "TEXT"
        columns.append(Column(name, kind, "nn" in words, default, place, "unique" in words, link))
    return found


def ddl(text: str, indexes: dict[str, tuple[str, tuple[str, ...]]]) -> list[str]:
    """Statements that make these tables and indexes if they are absent, as another implementation would."""
    statements = []
    for table, columns in tables(text).items():
        key = [column.name for column in columns if column.pk]
        parts = []
        for column in columns:
            part = f'"{column.name}" {column.type}' + (" NOT NULL" if column.not_null else "")
            if column.default is not None:
                part += f" DEFAULT ({column.default})" if "(" in column.default else f" DEFAULT {column.default}"
            if column.pk and len(key) == 1:
                part += " PRIMARY KEY" + (" AUTOINCREMENT" if column.type == "INTEGER" else "")
            part += " UNIQUE" if column.unique else ""
            if column.link:
                part += f" REFERENCES {column.link[0]}({column.link[1]}) ON DELETE {column.link[2]}"
            parts.append(part)
        if len(key) > 1:
            parts.append(f"PRIMARY KEY ({', '.join(key)})")
        statements.append(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(parts)})")
    statements += [
        f"CREATE INDEX IF NOT EXISTS {name} ON {table}({', '.join(columns)})"
        for name, (table, columns) in indexes.items()
    ]
    return statements


def rows(path: str | os.PathLike[str], sql: str, *values: Any, **named: Any) -> list[tuple[Any, ...]]:
    """What one statement answers, on a connection of its own. It may write: foreign keys are on."""
    connection = apsw.Connection(os.fspath(path))
    try:
        connection.set_busy_timeout(5000)
        connection.execute("PRAGMA foreign_keys = ON").fetchall()
        return connection.execute(sql, named or values).fetchall()
    finally:
        connection.close()


def dicts(path: str | os.PathLike[str], sql: str, *values: Any) -> list[dict[str, Any]]:
    """The same, with the rows as dicts."""
    connection = apsw.Connection(os.fspath(path))
    try:
        connection.set_busy_timeout(5000)
        cursor = connection.cursor()
        found = []
        for row in cursor.execute(sql, values):
            found.append(dict(zip((column[0] for column in cursor.description), row, strict=True)))
        return found
    finally:
        connection.close()


def audit(path: str | os.PathLike[str], event_type: str = "%") -> list[dict[str, Any]]:
    """Rows of the audit log, oldest first."""
    return dicts(path, "SELECT * FROM audit_log WHERE event_type LIKE ? ORDER BY id", event_type)


def dump(path: str | os.PathLike[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table: what the file says, whatever its pages look like."""
    connection = apsw.Connection(os.fspath(path))
    try:
        connection.set_busy_timeout(5000)
        listed = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
        ).fetchall()
        return {
            str(name): sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr) for (name,) in listed
        }
    finally:
        connection.close()


def check(path: str | os.PathLike[str]) -> None:
    """The file is whole: pages, indexes and foreign keys."""
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "PRAGMA foreign_key_check") == []
