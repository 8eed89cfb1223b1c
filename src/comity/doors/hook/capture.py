"""Real payloads, kept for whoever writes an adapter: their form, without what people and models wrote.

Loaded only while the folder is there that ``comity doctor --capture`` makes. Names, ids, numbers and the order of keys
stay; every other text is replaced by its length, a path by its ending.
"""

from __future__ import annotations

import json
import os
import re
import time

from comity.kernel.text import document
from comity.system import files

MOST_FILES = 300
_MOST_ITEMS, _MOST_DEPTH, _MOST_TEXT = 20, 12, 100
_NAMES = frozenset(
    {
        "hook_event_name",
        "hookEventName",
        "tool_name",
        "toolName",
        "tool",
        "name",
        "type",
        "source",
        "permission_mode",
        "agent_type",
        "agentType",
        "agent_name",
        "agentName",
        "model",
        "modelName",
        "cursor_version",
        "timestamp",
        "status",
        "reason",
        "stop_reason",
        "stopReason",
        "trigger",
        "terminationReason",
        "notification_type",
        "composer_mode",
        "resultType",
        "result_type",
        "decision",
        "mode",
    }
)
_PATHS = re.compile(r"path|file|cwd|folder|directory|roots?$|files?$", re.IGNORECASE)
_ID = re.compile(r"(^|_)id$|Id$|ID$")
_PLAIN = re.compile(r"[\w.:@+-]*")


def keep(folder: str, host: str, event: str, data: bytes) -> None:
    """One payload as a file; nothing when there are many already. Raises OSError."""
    if len(os.listdir(folder)) >= MOST_FILES:
        return
    try:
        payload = json.loads(data.decode(json.detect_encoding(data), "replace"))
    except ValueError:
        payload = {"unreadable": f"<{len(data)} bytes>"}
    kept = {
        "source": "recorded by `comity doctor --capture`",
        "date": time.strftime("%Y-%m-%d"),
        "kind": "recorded",
        "event": event,
        "payload": redacted(payload),
    }
    name = "-".join(re.sub(r"[^\w.-]", "_", part)[:60] for part in (host, event, str(time.time_ns())))
    base, inner = os.path.split(folder)
    files.write_new(base, f"{inner}/{name}.json", document(kept))


def redacted(value: object, key: str = "", depth: int = 0) -> object:
    """``value`` without anybody's words."""
    if depth > _MOST_DEPTH:
        return "<deeper>"
    if isinstance(value, dict):
        return {str(name)[:_MOST_TEXT]: redacted(inside, str(name), depth + 1) for name, inside in value.items()}
    if isinstance(value, list):
        return [redacted(inside, key, depth + 1) for inside in value[:_MOST_ITEMS]]
    if not isinstance(value, str):
        return value
    if (key in _NAMES or _ID.search(key)) and len(value) <= _MOST_TEXT and _PLAIN.fullmatch(value):
        return value
    if _PATHS.search(key) and "\n" not in value:
        return f"<path>{os.path.splitext(value)[1][:10]}"
    return f"<{len(value)} characters>"
