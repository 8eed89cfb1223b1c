"""The calling process, and those that it can see: the facts from which others tell whether a session lives.

Linux: ``/proc`` gives a process's state and its start in clock ticks after the boot, which together with the boot id
and the pid namespace tell it from every other process (proc(5), namespaces(7)). On macOS ``sysctl`` tells the boot's
id, once a session, and a look is ``kill(pid, 0)``: a vanished process is seen at once, while a zombie or a pid that is
used anew is found when its lease lapses. Elsewhere, or where ``/proc`` shows another namespace, nothing is seen and
leases decide.

A look is a few system calls that do not block, so it may happen inside a transaction. On Linux a process that was seen
running is from then on held by a descriptor (pidfd_open(2)) that tells its end in a thirtieth of the time: servers look
at each other all day.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time

from comity.kernel.observer import Presence, Sighting
from comity.rooms.agents.liveness import LASTING_MS, Watch
from comity.system.surroundings import HERE

LEASE_S = 120  # for sessions whose process others may not see
_MAX_NAME = 200
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ash", "busybox", "fish", "env", "timeout"})
_MOST_SHELLS = 6
_MOST_ABOVE = 30
_MOST_HELD = 256  # descriptors
_GONE, _THERE, _HIDDEN = "absent", "there", "unknown"


class ThisProcess:
    """The calling process as an observer. ``presence`` is what its session reports."""

    def __init__(self, presence: Presence) -> None:
        self._presence = presence
        self._watch = Watch()

    @property
    def presence(self) -> Presence:
        """What this process's session reports of itself."""
        return self._presence

    def look(self, pid: int) -> Sighting:
        """What is at this pid now."""
        return _HELD.look(pid)

    def above(self, pid: int) -> tuple[int, ...]:
        """The processes above this one, its parent first."""
        return above(pid)

    def steady_ms(self, now_ms: int) -> int:
        """For how long this process has looked on; to be asked at every look."""
        return self._watch.look(time.monotonic_ns() // 1_000_000, now_ms)

    def introduce(self, program: str) -> None:
        """The agent's host says which program it is."""
        name = _name(program)
        if name and name != self._presence.program:
            self._presence = self._presence._replace(program=name)


class _Held:
    """Processes that were seen running, by descriptors that are readable once they have ended."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[int, select.poll, Sighting]] = {}
        self._lock = threading.Lock()  # around a descriptor from its use to its end

    def look(self, pid: int) -> Sighting:
        """What is at this pid now."""
        with self._lock:
            known = self._held.get(pid)
            if known is not None:
                if not known[1].poll(0):
                    return known[2]
                self._drop(pid)
            seen = look(pid)
            if seen.state == "running" and seen.started:
                self._hold(pid, seen)
            return seen

    def _hold(self, pid: int, seen: Sighting) -> None:
        if sys.platform != "linux":
            return
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:  # it ended just now, or the kernel is older than 5.3
            return
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if len(self._held) >= _MOST_HELD:
            for one in list(self._held):
                self._drop(one)
        self._held[pid] = descriptor, poll, seen
        if look(pid) != seen:  # not the one that was seen
            self._drop(pid)

    def _drop(self, pid: int) -> None:
        os.close(self._held.pop(pid)[0])


_HELD = _Held()


def present(program: str = "", host_session_id: str = "", worktree: str = "", lease_s: int = LEASE_S) -> Presence:
    """What a session that lives as long as this process reports."""
    pid = os.getpid()
    seen = look(pid)
    return absent(program or _launcher(), host_session_id, worktree, lease_s)._replace(
        pid=pid if seen.state != "unknown" else None, started=seen.started
    )


def absent(program: str = "", host_session_id: str = "", worktree: str = "", lease_s: int = LEASE_S) -> Presence:
    """What a session that outlives this process reports: it has a lease and no pid."""
    return Presence(
        None,
        "",
        boot_id(),
        namespace(),
        _machine(),
        _name(program),
        _name(host_session_id),
        worktree,
        lease_s * 1000,
    )


def host_process() -> tuple[int | None, str]:
    """The program behind this process: its nearest ancestor that is no shell, and when that was started."""
    pid = HERE.parent()
    if not _proc_is_ours():
        return (pid, "") if pid > 1 else (None, "")
    for _ in range(_MOST_SHELLS):
        text = _read(f"/proc/{pid}/stat")
        name, fields = text[text.find("(") + 1 : text.rfind(")")], text[text.rfind(")") + 2 :].split()
        if pid <= 1 or len(fields) < 20:
            return None, ""
        if name not in _SHELLS:
            return pid, fields[19]
        pid = int(fields[1])
    return None, ""


def above(pid: int) -> tuple[int, ...]:
    """The processes above this one, its parent first, as far as they can be seen and without the system's first."""
    found: list[int] = []
    while _proc_is_ours() and len(found) < _MOST_ABOVE:
        text = _read(f"/proc/{pid}/stat")
        fields = text[text.rfind(")") + 2 :].split()
        if len(fields) < 20 or int(fields[1]) <= 1:
            break
        pid = int(fields[1])
        found.append(pid)
    return tuple(found)


def ancestors() -> list[str]:
    """The processes that whoever asks runs under, nearest first, each as pid and start: ``4711:82301``."""
    parent = HERE.parent()
    seen = [(pid, look(pid)) for pid in (parent, *above(parent)) if pid > 1]
    return [f"{pid}:{one.started}" for pid, one in seen if one.started]


def lasts(started: str) -> bool:
    """Whether a process that was started then (``host_process``) has run for long: it is no wrapper of one call."""
    up = _read("/proc/uptime").split()
    if not (started.isdigit() and up):
        return False
    return float(up[0]) - int(started) / os.sysconf("SC_CLK_TCK") >= LASTING_MS / 1000


def look(pid: int) -> Sighting:
    """What is at this pid, as far as this process can see."""
    if _proc_is_ours():
        seen = _look_in_proc(pid)
        if seen is not None:
            return seen
    state = _signalled(pid)
    return Sighting("absent") if state == _GONE else Sighting("running" if state == _THERE else "unknown")


def boot_id() -> str:
    """Which run of the machine this is; empty when unknown."""
    if sys.platform == "darwin":
        return _output("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")
    return _read("/proc/sys/kernel/random/boot_id")


def namespace() -> str:
    """Among which processes a pid of this process counts, and since when their starts are counted."""
    if sys.platform == "darwin":
        return "darwin"
    if not _proc_is_ours():
        return ""
    found = []
    for kind in ("pid", "time"):
        try:
            found.append(os.readlink(f"/proc/self/ns/{kind}"))
        except OSError:
            continue  # kernels before 5.6 know no time namespaces
    return ",".join(found) if found and found[0].startswith("pid:") else ""


def _proc_is_ours() -> bool:
    """Whether ``/proc`` shows the namespace that this process lives in."""
    try:
        return os.readlink("/proc/self") == str(os.getpid())
    except OSError:
        return False


def _look_in_proc(pid: int) -> Sighting | None:
    """None when ``/proc`` does not tell: no such folder may mean that it hides other users' processes."""
    text = _read(f"/proc/{pid}/stat")
    fields = text[text.rfind(")") + 2 :].split()  # the name in parentheses may hold anything
    if len(fields) < 20:
        return None
    state, threads, started = fields[0], fields[17], fields[19]
    # A process whose first thread ended is shown as a zombie while its other threads run.
    ended = state in ("Z", "X", "x") and threads in ("0", "1")
    return Sighting("zombie" if ended else "running", started)


def _signalled(pid: int) -> str:
    if os.name != "posix" or pid <= 0:
        return _HIDDEN  # on Windows os.kill would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return _GONE
    except PermissionError:
        return _THERE
    except OSError:
        return _HIDDEN
    return _THERE


def _machine() -> str:
    return _name(os.uname().nodename) if hasattr(os, "uname") else _name(os.environ.get("COMPUTERNAME", ""))


def _launcher() -> str:
    """The name of the program that started this one: the agent's host, if nothing better is known."""
    return _name(_read(f"/proc/{os.getppid()}/comm")) if _proc_is_ours() else ""


def _name(text: str) -> str:
    return "".join(c for c in text.strip()[:_MAX_NAME] if c.isprintable())


def _output(*command: str) -> str:
    """The first bytes of what a program prints; empty when there is no such program."""
    ours, theirs = os.pipe()
    try:
        actions = [(os.POSIX_SPAWN_DUP2, theirs, 1), (os.POSIX_SPAWN_CLOSE, ours)]
        child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
        os.close(theirs)
        theirs = -1
        text = os.read(ours, 4096).decode("utf-8", "replace").strip()
        os.waitpid(child, 0)
    except OSError:
        return ""
    else:
        return text
    finally:
        for descriptor in (ours, theirs):
            if descriptor >= 0:
                os.close(descriptor)


def _read(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return file.read(4096).decode("utf-8", "replace").strip()
    except OSError:
        return ""
