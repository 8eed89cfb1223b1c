"""The separate look into the file once every server has ended: messages, log, tasks and claims as rows."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from comity.demo.account import Rows, TaskRow
from comity.demo.board import Fact
from comity.demo.cast import PRIORITIES
from comity.demo.mail import Delivered
from comity.store.connection import connect

_DELIVERIES = """
SELECT m.delivery_id, m.message_id, m.destination_agent_id, m.priority, m.state, m.sequence_number,
  m.timestamp, r.timestamp, p.timestamp
FROM messages m
LEFT JOIN ack_states r ON r.delivery_id = m.delivery_id AND r.ack_level = 'received'
LEFT JOIN ack_states p ON p.delivery_id = m.delivery_id AND p.ack_level = 'processed'
ORDER BY m.rowid
"""
_LOG = "SELECT event_type, delivery_id, agent_id, timestamp, metadata_json FROM audit_log ORDER BY id"
_TASKS = """
SELECT 'task-' || substr('00' || number, -max(3, length(number))), title, description, priority, status,
  assigned_agent_id, handoff_json FROM comity_tasks ORDER BY number
"""
_UNRELEASED = "SELECT count(*) FROM macp_ext_file_claims WHERE released_at IS NULL"
_ENDS = ("message.expire", "message.drop", "message.malformed")


def read(path: str) -> Rows:
    """Everything that the account needs, in one read transaction on a connection of its own."""
    connection = connect(path, "normal")
    try:
        with connection:
            deliveries = [_delivered(row) for row in connection.execute(_DELIVERIES)]
            log: list[Any] = connection.execute(_LOG).fetchall()
            tasks = [TaskRow._make((*row[:6], json.loads(row[6] or "{}"))) for row in connection.execute(_TASKS)]
            unreleased: Any = connection.execute(_UNRELEASED).fetchall()
            integrity = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            integrity += [f"foreign key of {row[0]}" for row in connection.execute("PRAGMA foreign_key_check")]
    finally:
        connection.close()
    return Rows(
        deliveries,
        [row[1] for row in log if row[0] == "message.send"],
        [row[1] for row in log if row[0] == "message.ack"],
        [row[1] for row in log if row[0] in _ENDS],
        [Fact(_milliseconds(at), kind, agent or "", json.loads(about or "{}")) for kind, _, agent, at, about in log],
        tasks,
        unreleased[0][0],
        "; ".join(integrity),
    )


def _delivered(row: tuple[Any, ...]) -> Delivered:
    sent, received, acknowledged = (None if value is None else _milliseconds(value) for value in row[6:])
    assert sent is not None, "the wire schema forbids it"
    return Delivered._make((*row[:3], PRIORITIES[3 - row[3]], *row[4:6], sent, received, acknowledged))


def _milliseconds(timestamp: str) -> int:
    return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
