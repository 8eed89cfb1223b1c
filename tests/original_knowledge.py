"""The original's memory, vault and context query, by the protocol's facts alone (reference 4.4, 4.9, 4.10, appendix A).

The writer writes statement by statement, each committed by itself. The readers below it are plain scans over the rows,
in UTF-16 units: what Comity's index has to answer the same as. Where Comity differs on purpose (members only, no lone
surrogates), the tests say so, not this file.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from tests.original import Original

SPACE = "[\\t\\n\\v\\f\\r \\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff]"
ENDS = re.compile(f"^{SPACE}+|{SPACE}+$")


class Knower(Original):
    """An agent of the original that remembers and indexes."""

    def remember(self, key: str, value: str, scope: str = "workspace", *, channel: str | None = None) -> str:
        """Section 4.4, set: a second row beside a different value; the id of the row."""
        owner = self.agent_id if scope == "agent" else None
        same = self.sql(
            "SELECT memory_id FROM macp_ext_memories WHERE scope = ? AND memory_key = ? AND owner_agent_id IS ?"
            " AND channel_id IS ? AND archived_at IS NULL AND value_text = ?",
            *(scope, key, owner, channel, value),
        )
        if same:
            self.sql(
                "UPDATE macp_ext_memories SET tags_json = '[]', confidence = 'stated', layer = 'context',"
                " updated_at = ? WHERE memory_id = ?",
                *(self.now(), same[0][0]),
            )
            return str(same[0][0])
        memory_id = str(uuid.uuid4())
        self.sql(
            "INSERT INTO macp_ext_memories (memory_id, scope, memory_key, value_text, owner_agent_id, channel_id,"
            " tags_json, confidence, layer, author_agent_id, created_at, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, '[]', 'stated', 'context', ?, ?, ?)",
            *(memory_id, scope, key, value, owner, channel, self.agent_id, self.now(), self.now()),
        )
        return memory_id

    def forget(self, key: str, scope: str = "workspace") -> None:
        """Section 4.4, delete; the key is not trimmed."""
        self.sql(
            "UPDATE macp_ext_memories SET archived_at = ?, archived_reason = 'deleted'"
            " WHERE scope = ? AND memory_key = ? AND archived_at IS NULL",
            *(self.now(), scope, key),
        )

    def index_vault(self, root: str, docs: Sequence[tuple[str, str, str]]) -> None:
        """Section 4.9: wipe, then insert one by one. ``docs`` are path, title and content."""
        self.sql("DELETE FROM macp_ext_vault_docs")
        for path, title, content in docs:
            self.sql(
                "INSERT INTO macp_ext_vault_docs VALUES (?, ?, ?, ?, '[]', ?, ?, 'hash', ?)",
                *(str(uuid.uuid4()), path, title, content, f"{root}/{path}", self.now(), self.now()),
            )
        self.sql(
            "INSERT INTO macp_ext_vault_registry VALUES ('default', ?, ?, ?) ON CONFLICT (registry_id) DO UPDATE SET"
            " root_path = excluded.root_path, updated_at = excluded.updated_at,"
            " updated_by_agent_id = excluded.updated_by_agent_id",
            *(root, self.now(), self.agent_id),
        )

    def finish_task(self, title: str, description: str, result: str | None, status: str = "done") -> str:
        """A task's row as it is at its end."""
        task_id = str(uuid.uuid4())
        self.sql(
            "INSERT INTO macp_ext_tasks (task_id, title, description, status, dispatcher_agent_id, result_text,"
            " created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            *(task_id, title, description, status, self.agent_id, result, self.now(), self.now()),
        )
        return task_id

    def set_goal(self, title: str, description: str) -> str:
        """A goal's row."""
        goal_id = str(uuid.uuid4())
        self.sql(
            "INSERT INTO macp_ext_goals (goal_id, goal_type, title, description, created_by_agent_id, created_at,"
            " updated_at) VALUES (?, 'mission', ?, ?, ?, ?, ?)",
            *(goal_id, title, description, self.agent_id, self.now(), self.now()),
        )
        return goal_id

    def every(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        """Rows, most recent first."""
        return self.sql(f"SELECT {columns} FROM {table} ORDER BY updated_at DESC")

    def visible(self, channel: str | None) -> list[tuple[Any, ...]]:
        """Live memories that this agent sees: id, key, value, scope, channel, tags, time; most recent first."""
        return self.sql(
            "SELECT memory_id, memory_key, value_text, scope, channel_id, tags_json, updated_at FROM macp_ext_memories"
            " WHERE archived_at IS NULL AND (scope = 'workspace' OR (scope = 'agent' AND owner_agent_id = ?)"
            " OR (scope = 'channel' AND channel_id = ?)) ORDER BY updated_at DESC, created_at DESC",
            *(self.agent_id, channel),
        )

    def search_memory(self, query: str, channel: str | None, limit: int = 20) -> list[str]:
        """Section 4.4, search: ids."""
        wanted = trim(query).lower()
        rows = [row for row in self.visible(channel) if wanted and wanted in f"{row[1]}\n{row[2]}".lower()]
        return [row[0] for row in rows][:limit]

    def search_vault(self, query: str, limit: int = 20) -> list[tuple[int, str]]:
        """Section 4.9, search: score and path."""
        docs = self.every("macp_ext_vault_docs", "doc_path, title, content")
        found = [(scored("\n".join(doc), query), doc[0]) for doc in docs]
        return sorted((one for one in found if one[0] > 0), key=lambda one: -one[0])[:limit]

    def query_context(self, query: str, channel: str | None, limit: int = 10) -> list[dict[str, Any]]:
        """Section 4.10; membership is not looked at."""
        entries: list[dict[str, Any]] = []

        def add(kind: str, row_id: str, title: str, parts: Sequence[str], text: str) -> None:
            points = scored("\n".join(parts), query)
            if points > 0:
                entry = {"kind": kind, "id": row_id, "title": title, "snippet": cut(text, query), "score": points}
                entries.append(entry)

        for row in self.visible(channel):
            add("memory", row[0], row[1], row[1:3], row[2])
        for row in self.every("macp_ext_vault_docs", "doc_id, doc_path, title, content"):
            add("vault_doc", row[0], row[2], row[1:], row[3])
        for row in self.every("macp_ext_tasks", "task_id, title, description, coalesce(result_text, ''), status"):
            if row[4] == "done":
                add("task", row[0], row[1], row[1:4], f"{row[2]}\n{row[3]}")
        for row in self.every("macp_ext_goals", "goal_id, title, description"):
            add("goal", row[0], row[1], row[1:], row[2])
        return sorted(entries, key=lambda entry: (-entry["score"], entry["kind"]))[:limit]


def trim(text: str) -> str:
    """JavaScript's trim."""
    return ENDS.sub("", text)


def units(text: str) -> list[str]:
    """The UTF-16 units of a text, each as four hexadecimal digits."""
    code = text.encode("utf-16-be", "surrogatepass").hex()
    return [code[at : at + 4] for at in range(0, len(code), 4)]


def from_units(code: Sequence[str]) -> str:
    """The text; half a pair at an end is left out, as Comity does at the end of a cut."""
    return bytes.fromhex("".join(code)).decode("utf-16-be", "ignore")


def scored(text: str, query: str) -> int:
    """The UTF-16 lengths of the query's words that occur, repeated ones each time."""
    lower = text.lower()
    said = [word for word in re.split(f"{SPACE}+", trim(query).lower()) if word]
    return sum(len(units(word)) for word in said if word in lower)


def cut(text: str, query: str) -> str:
    """The snippet around the first word of the query."""
    word = re.split(f"{SPACE}+", trim(query).lower())[0]
    code, lower = units(text), text.lower()
    place = lower.find(word)
    if place < 0:
        return text if len(code) <= 200 else from_units(code[:197]) + "..."
    at = len(units(lower[:place]))
    start, end = max(0, at - 60), min(len(code), at + 140)
    if start > 0 and code[start][:2] in ("dc", "dd", "de", "df"):
        start -= 1  # Comity keeps the whole pair where the original shows half of it
        inner = trim(from_units(code[start:end]))
        return f"...{inner}..."
    inner = trim(from_units(code[start:end]))
    return f"...{inner}..." if start > 0 or end < len(code) else inner
