"""Identifiers: UUID version 7 (RFC 9562), so that new rows append to every index instead of scattering.

The wire format takes any RFC UUID; the original implementation writes version 4. Time-ordered ids are what keeps
the cost of a send independent of how many messages the file already holds (docs/benchmarks.md).
"""

from __future__ import annotations

import os

from comity.kernel.hints import Protocol


class Ids(Protocol):
    """Where operations get new identifiers from."""

    def new(self, ms: int) -> str: ...


class TimeOrderedIds:
    """UUIDv7 from the operation's own time and 74 random bits."""

    def new(self, ms: int) -> str:
        """A new lower-case hyphenated id for the moment ``ms`` (milliseconds since 1970)."""
        bits = int.from_bytes(os.urandom(10), "big")
        value = (ms << 80) | 0x7000_8000_0000_0000_0000 | (bits & 0x0FFF_3FFF_FFFF_FFFF_FFFF)
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
