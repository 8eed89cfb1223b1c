"""A foreign peer's tasks and goals: read, check, then an update that looks at nothing (protocol reference 4.7, 4.8).

``read`` and ``write`` are apart, as they are in the original, so that a test can let something happen between them.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from tests.original import Original

_KEYS = (
    *("task_id", "title", "description", "profile_slug", "priority", "status", "goal_id", "parent_task_id"),
    *("dispatcher_agent_id", "assigned_agent_id", "result_text", "reason_text", "created_at", "updated_at"),
    "archived_at",
)
_ALLOWED = {
    "claim": ("pending",),
    "start": ("pending", "accepted", "blocked"),
    "complete": ("accepted", "in-progress", "blocked"),
    "block": ("accepted", "in-progress"),
    "cancel": ("pending", "accepted", "in-progress", "blocked"),
}


class Refusal(Exception):
    """A plain error; the argument says which check failed: session, missing, assigned, profile or status."""


class Tasks:
    """One agent of the original on tasks."""

    def __init__(self, agent: Original) -> None:
        self.agent = agent

    def dispatch(self, title: str, *, priority: str = "P2", profile: str | None = None, goal: str | None = None) -> str:
        """The new task's id."""
        task_id, now = str(uuid.uuid4()), self.agent.now()
        self.agent.sql(
            "INSERT INTO macp_ext_tasks (task_id, title, description, profile_slug, priority, status, goal_id,"
            " parent_task_id, dispatcher_agent_id, assigned_agent_id, assigned_session_id, result_text, reason_text,"
            " created_at, updated_at, archived_at)"
            " VALUES (?, ?, '', ?, ?, 'pending', ?, NULL, ?, NULL, NULL, NULL, NULL, ?, ?, NULL)",
            *(task_id, title, profile, priority, goal, self.agent.agent_id, now, now),
        )
        return task_id

    def get(self, task_id: str) -> dict[str, Any]:
        """The row."""
        found = self.agent.sql(f"SELECT {', '.join(_KEYS)} FROM macp_ext_tasks WHERE task_id = ?", task_id)
        if not found:
            raise Refusal("missing")
        return dict(zip(_KEYS, found[0], strict=True))

    def list(self) -> list[str]:
        """Ids of the live tasks in the original's order."""
        rows = self.agent.sql(
            "SELECT task_id FROM macp_ext_tasks WHERE archived_at IS NULL ORDER BY CASE priority WHEN 'P0' THEN 0"
            " WHEN 'P1' THEN 1 WHEN 'P2' THEN 2 ELSE 3 END, created_at DESC"
        )
        return [row[0] for row in rows]

    def read(self, heard: str, task_id: str) -> dict[str, Any]:
        """Everything up to the update. Raises Refusal."""
        me = self.agent.agent_id
        if not self.agent.sql(
            "SELECT 1 FROM sessions WHERE agent_id = ? AND session_id = ? AND state = 'active'",
            *(me, self.agent.session_id),
        ):
            raise Refusal("session")
        task = self.get(task_id)
        holder = task["assigned_agent_id"]
        if heard in ("claim", "start"):
            if holder is not None and holder != me:
                raise Refusal("assigned")
            mine = self.agent.sql("SELECT profile_slug FROM macp_ext_agent_state WHERE agent_id = ?", me)
            if task["profile_slug"] is not None and task["profile_slug"] != (mine[0][0] if mine else None):
                raise Refusal("profile")
        if heard in ("complete", "block") and holder != me:
            raise Refusal("assigned")
        if task["status"] not in _ALLOWED[heard]:
            raise Refusal("status")
        if heard == "cancel" and holder not in (None, me) and task["dispatcher_agent_id"] != me:
            raise Refusal("assigned")
        return task

    def write(self, heard: str, task_id: str, text: str = "") -> None:
        """The update, whatever the task is by now."""
        now, me = self.agent.now(), (self.agent.agent_id, self.agent.session_id)
        sets: dict[str, tuple[str, tuple[Any, ...]]] = {
            "claim": ("status = 'accepted', assigned_agent_id = ?, assigned_session_id = ?", me),
            "start": (
                "status = 'in-progress', assigned_agent_id = ?, assigned_session_id = ?, reason_text = NULL",
                me,
            ),
            "complete": ("status = 'done', result_text = ?, reason_text = NULL", (text,)),
            "block": ("status = 'blocked', reason_text = ?", (text,)),
            "cancel": ("status = 'cancelled', reason_text = ?", (text,)),
        }
        columns, values = sets[heard]
        self.agent.sql(f"UPDATE macp_ext_tasks SET {columns}, updated_at = ? WHERE task_id = ?", *values, now, task_id)

    def do(self, heard: str, task_id: str, text: str = "", between: Callable[[], object] | None = None) -> None:
        """Read, check, and update; ``between`` happens in the window of reference E-01."""
        self.read(heard, task_id)
        if between is not None:
            between()
        self.write(heard, task_id, text)

    def goal(self, title: str, parent: str | None = None) -> str:
        """A new goal's id."""
        goal_id, now = str(uuid.uuid4()), self.agent.now()
        self.agent.sql(
            "INSERT INTO macp_ext_goals (goal_id, goal_type, title, description, status, parent_goal_id,"
            " owner_agent_id, created_by_agent_id, created_at, updated_at)"
            " VALUES (?, 'mission', ?, '', 'active', ?, NULL, ?, ?, ?)",
            *(goal_id, title, parent, self.agent.agent_id, now, now),
        )
        return goal_id


def joined(path: str, agent_id: str, clock: Any) -> Tasks:
    """An agent of the original that is registered."""
    agent = Original(path, agent_id, f"{agent_id}-session", clock)
    agent.register()
    return Tasks(agent)
