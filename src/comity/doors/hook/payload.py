"""What a host sends to a hook on its standard input: one JSON document."""

from __future__ import annotations

import json
import os
import select

MAX_BYTES = 64_000_000  # a host sends whole files that are about to be written
_CHUNK_BYTES = 1_048_576
_QUIET_MS = 20  # when nothing comes for so long, what has come may be whole, though the pipe stays open


def read_payload() -> bytes:
    """The payload, and whatever more the host sends, which is let go: a host must not find its pipe closed.

    Raises ValueError for one that is larger than ``MAX_BYTES``.
    """
    kept, size = [], 0
    poll = select.poll() if hasattr(select, "poll") else None
    if poll is not None:
        poll.register(0, select.POLLIN)
    while piece := os.read(0, _CHUNK_BYTES):
        if size < MAX_BYTES:
            kept.append(piece)
        size += len(piece)
        quiet = poll is not None and piece.rstrip(b" \t\r\n\0").endswith(b"}") and not poll.poll(_QUIET_MS)
        if quiet and size <= MAX_BYTES and _is_whole(b"".join(kept)):
            break
    if size > MAX_BYTES:
        raise ValueError(f"the host's payload is larger than {MAX_BYTES} bytes")
    return b"".join(kept)


def _is_whole(data: bytes) -> bool:
    try:
        return isinstance(json.loads(data.decode(json.detect_encoding(data), "replace")), dict)
    except (ValueError, RecursionError):
        return False
