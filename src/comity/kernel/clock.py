"""Points in time as the wire format has them (MACP v1.0, reference section 1.7)."""

from __future__ import annotations

import time
from functools import lru_cache

from comity.kernel.hints import Protocol, Self
from comity.kernel.named_tuple import NamedTuple


class Instant(NamedTuple):
    """One moment: ``ms`` since 1970 and ``iso``, UTC ``YYYY-MM-DDTHH:MM:SS.mmmZ`` (24 characters)."""

    ms: int
    iso: str

    @property
    def second(self) -> int:
        """Whole seconds since 1970: deadlines are compared in whole seconds."""
        return self.ms // 1000

    @classmethod
    def at(cls, ms: int) -> Self:
        """The instant ``ms`` milliseconds after 1970."""
        second, milli = divmod(ms, 1000)
        return cls(ms, f"{_to_second(second)}.{milli:03}Z")


@lru_cache(maxsize=256)
def _to_second(second: int) -> str:
    t = time.gmtime(second)
    return f"{t[0]:04}-{t[1]:02}-{t[2]:02}T{t[3]:02}:{t[4]:02}:{t[5]:02}"


class Clock(Protocol):
    """Where operations get the time from; one reading an operation."""

    def now(self) -> Instant: ...


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> Instant:
        """The present moment, milliseconds truncated."""
        return Instant.at(time.time_ns() // 1_000_000)
