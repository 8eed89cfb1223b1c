"""Who is dead: rules over evidence, without any look at the world.

A session is dead when its process can be judged from here (same boot, same pid namespace) and is gone or a zombie; or
when that cannot be known and its lease has lapsed. A process that is seen running is alive, whatever its lease says:
a busy or suspended agent loses nothing. Sessions without a presence, those of other implementations, are never judged.

A session that only hooks know has no process of its own: that of its host stands for it. A hook's nearest ancestor may
be a wrapper that ends with the hook, so the end of a process proves something only once it has outlived a hook. One
process may have had several sessions: that it runs proves only that the one heard last lives.

A lease is measured by a clock that may jump: after a suspend, a paused container or a corrected clock every lease
seems to have lapsed, though its holder had no chance to renew it. So a lapse counts only once the observer has looked
on for half a lease without a gap or a jump; the living renew every quarter.
"""

from __future__ import annotations

from comity.kernel.clock import Instant
from comity.kernel.hints import Literal
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.observer import Presence, Sighting

LEAST_STEADY_MS = 15_000  # however short a lease is
LONG_LEASE_MS = 3_600_000  # a longer one is that of an agent at a prompt, without a process: nobody renews it
MAX_GAP_MS = 15_000  # an observer that did not look for longer begins anew
MAX_JUMP_MS = 2_000  # so does one whose clock moved by more against the machine's own pace
LASTING_MS = 5_000  # a process that has run for so long when a hook begins is no wrapper of that hook


class HostProcess(NamedTuple):
    """A process in which a hook heard of the session.

    ``outlived``: it went on after a hook had ended. ``last``: no other session was heard of there later.
    """

    pid: int
    started: str
    boot_id: str
    outlived: bool
    last: bool


class Reported(NamedTuple):
    """One row of presence: what a session said of itself, and when it was last heard of."""

    session_id: str
    agent_id: str
    pid: int | None
    started: str
    boot_id: str
    namespace: str
    machine: str
    program: str
    host_session_id: str
    worktree: str
    last_seen_ms: int
    lease_until_ms: int

    @property
    def lease_ms(self) -> int:
        """How long the lease was when it was last renewed."""
        return max(0, self.lease_until_ms - self.last_seen_ms)


class Evidence(NamedTuple):
    """Everything that a decision rests on.

    ``sighting`` is what was seen at the reported pid, None when nobody looked; ``steady_ms`` for how long the observer
    has looked on without a gap or a jump of the clock; ``hosts`` what was seen of the host's processes of a session
    that only hooks know, the one heard last first.
    """

    reported: Reported
    sighting: Sighting | None
    now_ms: int
    steady_ms: int
    hosts: tuple[tuple[HostProcess, Sighting], ...] = ()


class Verdict(NamedTuple):
    """``alive`` and ``dead`` are certain; ``leased``: cannot be known, the lease runs; ``lapsed``: it has run out,
    which is not certain yet.
    """

    state: Literal["alive", "dead", "leased", "lapsed"]
    how: str


def comparable(reported: Reported, own: Presence | None) -> bool:
    """Whether the reported pid means the same process to whoever is ``own``."""
    return reported.pid is not None and beside(reported, own)


def beside(reported: Reported, own: Presence | None) -> bool:
    """Whether pids mean the same processes to the session and to whoever is ``own``."""
    return (
        own is not None
        and "" not in (reported.boot_id, reported.namespace)
        and (reported.boot_id, reported.namespace) == (own.boot_id, own.namespace)
    )


def judge(evidence: Evidence) -> Verdict:
    """The verdict on one session."""
    reported, sighting = evidence.reported, evidence.sighting
    if sighting is not None:
        seen = _seen(reported, sighting)
        if seen is not None:
            return seen
    return _hosted(evidence.hosts) or _leased(evidence)


def _seen(reported: Reported, sighting: Sighting) -> Verdict | None:
    """What the look at the process proves; None when it proves nothing."""
    process = f"process {reported.pid}"
    if sighting.state == "absent":
        return Verdict("dead", f"{process} is gone")
    if sighting.state == "unknown" or not reported.started or not sighting.started:
        return None
    if sighting.started != reported.started:
        return Verdict("dead", f"{process} is another one now")
    if sighting.state == "zombie":
        return Verdict("dead", f"{process} has ended")
    return Verdict("alive", f"{process} runs")


def _hosted(hosts: tuple[tuple[HostProcess, Sighting], ...]) -> Verdict | None:
    """What the host's processes prove; None when they prove nothing."""
    if not hosts:
        return None
    seen = [(host, gone(host.started, sighting)) for host, sighting in hosts]
    running = [host for host, over in seen if over is False]
    if running:
        last = next((host for host in running if host.last), None)
        return None if last is None else Verdict("alive", f"its host, process {last.pid}, runs")
    newest = seen[0][0]
    if newest.outlived and all(over for _, over in seen):
        return Verdict("dead", f"its host, process {newest.pid}, is gone")
    return None


def gone(started: str, sighting: Sighting) -> bool | None:
    """Whether the process that was started then has ended; None when the look does not tell."""
    if sighting.state == "absent":
        return True
    if sighting.state == "unknown" or not started or not sighting.started:
        return None
    return sighting.started != started or sighting.state == "zombie"


def _leased(evidence: Evidence) -> Verdict:
    reported, now_ms = evidence.reported, evidence.now_ms
    since_ms = now_ms - reported.last_seen_ms
    written_under_another_clock = since_ms < -reported.lease_ms
    if now_ms < reported.lease_until_ms and not written_under_another_clock:
        return Verdict("leased", "its lease runs")
    told = f"not heard of since {Instant.at(reported.last_seen_ms).iso}"
    sure = evidence.steady_ms >= max(reported.lease_ms / 2, LEAST_STEADY_MS)
    return Verdict("dead" if sure else "lapsed", told)


class Watch:
    """For how long somebody has looked on without a gap and without a jump of the clock. Feed it at every look."""

    __slots__ = ("_began_ms", "_last_ms", "_offset_ms")

    def __init__(self) -> None:
        self._began_ms: int | None = None
        self._last_ms = 0
        self._offset_ms = 0

    def look(self, pace_ms: int, clock_ms: int) -> int:
        """``pace_ms`` is a monotonic clock, ``clock_ms`` the one that leases are written with; steady milliseconds."""
        offset_ms = clock_ms - pace_ms
        gap_ms = pace_ms - self._last_ms
        if self._began_ms is None or gap_ms > MAX_GAP_MS or abs(offset_ms - self._offset_ms) > MAX_JUMP_MS:
            self._began_ms, self._offset_ms = pace_ms, offset_ms
        self._last_ms = pace_ms
        return pace_ms - self._began_ms
