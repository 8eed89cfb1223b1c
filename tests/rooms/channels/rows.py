"""Rows put into a file by hand, as another program may have left them."""

from __future__ import annotations

import os
from typing import Any

from tests.wire_format import rows

WHOLE: dict[str, Any] = {
    "delivery_id": "5f0c3a52-0000-4000-8000-000000000001",
    "message_id": "5f0c3a52-0000-4000-8000-000000000002",
    "channel_id": None,
    "from_json": '{"agent_id":"ann","session_id":"s","name":"Ann"}',
    "destination_type": "agent",
    "to": "bob",
    "content_type": "text/plain",
    "priority": 1,
    "type": "discovery",
    "content": "by hand",
    "sequence_number": 1,
    "context_json": '{"relevance_tags":[],"confidence":1,"source_references":[],"payload_byte_size":7}',
    "ack_json": '{"request_level":"received"}',
    "timestamp": "2026-01-01T00:00:00.000Z",
    "ttl_seconds": 3600,
    "state": "queued",
    "destination_agent_id": "bob",
}


def put(path: str | os.PathLike[str], **columns: Any) -> str:
    """One row of ``messages``, whole but for what is given; its delivery id."""
    values = {**WHOLE, **columns}
    names = ", ".join(f'"{name}"' for name in values)
    rows(path, f"INSERT INTO messages ({names}) VALUES ({', '.join('?' * len(values))})", *values.values())
    return str(values["delivery_id"])
