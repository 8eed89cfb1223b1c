"""Bare rows: what each operation writes, by prepared statements in one commit, and nothing else.

Every value is made beforehand, outside the time that counts: ids, JSON, sequence numbers. There is no check of a
session, a queue or an argument, and nobody is woken. The connection is the one Comity would use.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import apsw

from bench.ground import CONTENT
from comity.kernel.clock import SystemClock
from comity.kernel.ids import TimeOrderedIds

Values = tuple[Any, ...]

COUNTER = (
    "INSERT INTO sequence_counters (destination_key, next_sequence) VALUES (?, ?)"
    " ON CONFLICT (destination_key) DO UPDATE SET next_sequence = excluded.next_sequence"
)
_MESSAGE = (
    'INSERT INTO messages (delivery_id, message_id, channel_id, from_json, destination_type, "to", content_type,'
    " priority, type, content, sequence_number, context_json, ack_json, timestamp, ttl_seconds, state,"
    " destination_agent_id) VALUES (?, ?, ?, ?, ?, ?, 'text/plain', 1, 'discovery', ?, ?, ?, ?, ?, 3600, 'queued', ?)"
)
ACK = "INSERT INTO ack_states (delivery_id, ack_level, timestamp) VALUES (?, ?, ?)"
_AUDIT = (
    "INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, reason_code, metadata_json,"
    " timestamp) VALUES (?, ?, ?, ?, ?, 'MACP_OK', '{}', ?)"
)
AUDIT_OF = (
    "INSERT INTO audit_log (event_type, message_id, delivery_id, agent_id, channel_id, reason_code, metadata_json,"
    " timestamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_RECEIVER = "SELECT interest_tags_json, capabilities_json FROM sessions WHERE session_id = ? AND state = 'active'"
_PENDING = (
    'SELECT delivery_id, message_id, channel_id, from_json, destination_type, "to", content_type, priority, type,'
    " content, sequence_number, context_json, ack_json, timestamp, ttl_seconds, state FROM messages"
    " INDEXED BY comity_messages_pending WHERE destination_agent_id = ? AND state IN ('queued', 'surfaced')"
    " ORDER BY priority DESC, sequence_number LIMIT ?"
)
_SURFACE = "UPDATE messages SET state = 'surfaced' WHERE delivery_id = ?"
_ACKNOWLEDGE = "UPDATE messages SET state = 'acknowledged' WHERE delivery_id = ?"

_SENDER = '{"agent_id":"sender","session_id":"session-sender","name":"sender"}'
_CONTEXT = f'{{"relevance_tags":[],"confidence":1,"source_references":[],"payload_byte_size":{len(CONTENT)}}}'
_REQUEST = '{"request_level":"received"}'


class Rows(NamedTuple):
    """The rows of one send, ready to be bound."""

    counters: list[Values]
    messages: list[Values]
    acks: list[Values]
    audit: list[Values]


def rows_of_send(recipients: list[str], channel: str | None, sequences: dict[str, int]) -> Rows:
    """A message to ``recipients``; ``sequences`` holds the next number of each and moves on."""
    ids, now = TimeOrderedIds(), SystemClock().now()
    message_id = ids.new(now.ms)
    rows = Rows([], [], [], [])
    for agent_id in recipients:
        delivery_id = ids.new(now.ms)
        number = sequences[agent_id]
        sequences[agent_id] = number + 1
        rows.counters.append((agent_id, number + 1))
        rows.messages.append(
            (
                *(delivery_id, message_id, channel, _SENDER, "channel" if channel else "agent", channel or agent_id),
                *(CONTENT, number, _CONTEXT, _REQUEST, now.iso, agent_id),
            )
        )
        rows.acks.append((delivery_id, "queued", now.iso))
        rows.audit.append(("message.send", message_id, delivery_id, agent_id, channel, now.iso))
    return rows


def sequences(connection: apsw.Connection) -> dict[str, int]:
    """The next sequence number of every recipient."""
    rows = connection.execute("SELECT destination_key, next_sequence FROM sequence_counters")
    return {str(agent_id): int(str(number)) for agent_id, number in rows}


def send(cursor: apsw.Cursor, rows: Rows) -> None:
    """One send."""
    cursor.execute("BEGIN IMMEDIATE")
    write(cursor, rows)
    cursor.execute("COMMIT")


def write(cursor: apsw.Cursor, rows: Rows) -> None:
    """The rows of one send, in a transaction that is open."""
    if len(rows.messages) == 1:
        cursor.execute(COUNTER, rows.counters[0])
        cursor.execute(_MESSAGE, rows.messages[0])
        cursor.execute(ACK, rows.acks[0])
        cursor.execute(_AUDIT, rows.audit[0])
    else:
        cursor.executemany(COUNTER, rows.counters)
        cursor.executemany(_MESSAGE, rows.messages)
        cursor.executemany(ACK, rows.acks)
        cursor.executemany(_AUDIT, rows.audit)


def poll(cursor: apsw.Cursor, agent_id: str, session_id: str, surfaced: list[Values], acks: list[Values]) -> None:
    """Read what is pending and mark it as handed out. ``surfaced`` and ``acks`` are the rows to be bound."""
    cursor.execute("BEGIN IMMEDIATE")
    cursor.execute(_RECEIVER, (session_id,)).fetchall()
    found = cursor.execute(_PENDING, (agent_id, len(surfaced))).fetchall()
    assert len(found) == len(surfaced)
    cursor.executemany(_SURFACE, surfaced)
    cursor.executemany(ACK, acks)
    cursor.execute("COMMIT")


def ack(cursor: apsw.Cursor, acknowledged: Values, row: Values, audit: Values) -> None:
    """Write one acknowledgement."""
    cursor.execute("BEGIN IMMEDIATE")
    cursor.execute(_ACKNOWLEDGE, acknowledged)
    cursor.execute(ACK, row)
    cursor.execute(_AUDIT, audit)
    cursor.execute("COMMIT")
