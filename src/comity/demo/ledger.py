"""The separate look into the file once every server has ended: rows of messages, ack_states and audit_log."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from comity.demo.account import Delivered, Rows
from comity.demo.cast import PRIORITIES
from comity.store.connection import connect

_DELIVERIES = """
SELECT m.delivery_id, m.message_id, json_extract(m.from_json, '$.agent_id'), m.destination_agent_id, m.priority,
  m.state, m.sequence_number, length(CAST(m.content AS BLOB)), m.timestamp, r.timestamp, p.timestamp
FROM messages m
LEFT JOIN ack_states r ON r.delivery_id = m.delivery_id AND r.ack_level = 'received'
LEFT JOIN ack_states p ON p.delivery_id = m.delivery_id AND p.ack_level = 'processed'
ORDER BY m.rowid
"""
_EVENTS = "SELECT event_type, delivery_id, agent_id, timestamp FROM audit_log ORDER BY id"
_ENDS = ("message.expire", "message.drop", "message.malformed")


def read(path: str) -> Rows:
    """Everything that the account needs, in one read transaction on a connection of its own."""
    connection = connect(path, "normal")
    try:
        with connection:
            deliveries = [_delivered(row) for row in connection.execute(_DELIVERIES)]
            events: list[Any] = connection.execute(_EVENTS).fetchall()
            integrity = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
            integrity += [f"foreign key of {row[0]}" for row in connection.execute("PRAGMA foreign_key_check")]
    finally:
        connection.close()
    return Rows(
        deliveries,
        [row[1] for row in events if row[0] == "message.send"],
        [row[1] for row in events if row[0] == "message.ack"],
        [row[1] for row in events if row[0] in _ENDS],
        [(row[2], _milliseconds(row[3])) for row in events if row[0] == "session.register"],
        "; ".join(integrity),
    )


def _delivered(row: tuple[Any, ...]) -> Delivered:
    priority = PRIORITIES[3 - row[4]]
    sent, received, acknowledged = (None if value is None else _milliseconds(value) for value in row[8:])
    assert sent is not None, "the wire schema forbids it"
    return Delivered._make((*row[:4], priority, *row[5:8], sent, received, acknowledged))


def _milliseconds(timestamp: str) -> int:
    return round(datetime.fromisoformat(timestamp).timestamp() * 1000)
