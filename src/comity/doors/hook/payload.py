"""What a host sends to a hook on its standard input: one JSON document."""

from __future__ import annotations

import json
import os
import select
import time

MAX_BYTES = 64_000_000  # a host sends whole files that are about to be written
GIVE_UP_S, SHORT_S = (
    8.0,
    2.0,
)  # for the document to be whole: hosts end a hook after ten seconds, some events' after three
SHORT = ("SessionEnd",)
_CHUNK_BYTES = 1_048_576
_QUIET_MS = 20  # when nothing comes for so long, what has come may be whole, though the pipe stays open


def read_payload(event: str, data: bytes = b"", *, ended: bool = False) -> bytes:
    """The payload: ``data``, which was read already, and what follows on standard input unless that has ``ended``.

    More than one document is let go: a host must not find its pipe closed. A host that neither ends its document nor
    closes the pipe is not waited for longer than it would wait itself.

    Raises ValueError for a payload that is larger than ``MAX_BYTES``.
    """
    end = time.monotonic() + (SHORT_S if event in SHORT else GIVE_UP_S)
    poll = select.poll() if hasattr(select, "poll") else None
    if poll is not None:
        poll.register(0, select.POLLIN)
    kept, size, piece = [data], len(data), data
    while not ended:
        quiet = piece and poll is not None and may_end(piece) and not poll.poll(_QUIET_MS)
        if quiet and size <= MAX_BYTES and is_whole(b"".join(kept)):
            break
        if poll is not None and not poll.poll(max(0.0, end - time.monotonic()) * 1000):
            break
        piece = os.read(0, _CHUNK_BYTES)
        ended = not piece
        if size < MAX_BYTES:
            kept.append(piece)
        size += len(piece)
    if size > MAX_BYTES:
        raise ValueError(f"the host's payload is larger than {MAX_BYTES} bytes")
    return b"".join(kept)


def may_end(piece: bytes) -> bool:
    """Whether a document may end with this piece of it."""
    return piece.rstrip(b" \t\r\n\0").endswith(b"}")


def is_whole(data: bytes) -> bool:
    """Whether it is one JSON document, an object."""
    try:
        return isinstance(json.loads(data.decode(json.detect_encoding(data), "replace")), dict)
    except (ValueError, RecursionError):
        return False
