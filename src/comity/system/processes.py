"""Running a program: no shell, a folder and an environment that are given, a bound for its output, and a deadline.

The one place that starts a process. It has a process group of its own, and whatever ends it early ends the whole
group: what a program starts does not outlive it, unless that leaves the group on purpose. One that can be stopped may
run for long, so it also ends when this process is killed: a guardian sees to that (``_Guardian``). What can go wrong:
any other program goes on until it is done when this process is killed, and so does one whose guardian is killed first.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from comity.kernel.hints import Literal, Protocol
from comity.kernel.named_tuple import NamedTuple

_PIECE_BYTES = 1 << 20
_GUARDING = ("/bin/sh", "-c", "read -r _; kill -9 0")  # 0: all of its own group

How = Literal["ended", "late", "long", "stopped", "missing"]


class Stop(Protocol):
    """Tells that a program is not wanted any more."""

    def on_set(self, callback: Callable[[], None], /) -> Callable[[], None]:
        """Have ``callback`` called when it is so, now if it is already; what is answered forgets it again."""


class Ended(NamedTuple):
    """What became of a program. ``code`` counts where it ``ended`` by itself, and is negative after a signal.

    ``how``: ended; late (its time was over), long (it said too much), stopped: then it was killed with all that it had
    started; missing: it could not be started. ``output`` is what it said until then.
    """

    how: How
    code: int = 0
    output: bytes = b""


def run(
    arguments: Sequence[str],
    *,
    folder: str,
    environment: Mapping[str, str],
    most_bytes: int,
    most_s: float,
    stop: Stop | None = None,
    errors: bool = False,
    keeps: Sequence[int] = (),
) -> Ended:
    """Run a program to its end, and read what it says on its standard output, with ``errors`` on the other one as well.

    ``arguments`` begin with the program's path; its environment is ``environment`` and nothing else. It is killed after
    ``most_s`` seconds, when it says more than ``most_bytes``, and once ``stop`` says so; with a ``stop`` also when this
    process is killed. ``keeps``: descriptors that it gets as they are.
    """
    until = time.monotonic() + most_s
    guardian = None if stop is None else _Guardian()
    try:
        process = subprocess.Popen(
            arguments,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if errors else subprocess.DEVNULL,
            process_group=guardian.group if guardian else 0,
            pass_fds=tuple(keeps),
        )
    except (OSError, ValueError):
        if guardian is not None:
            guardian.end()
        return Ended("missing")
    halt = None if stop is None else _Halt()
    forget = None if stop is None or halt is None else stop.on_set(halt.set)
    watch = _Watch(process, until, most_bytes, halt)
    how: How = "stopped"
    try:
        how = watch.collect()
    finally:
        if forget is not None:
            forget()
        if how != "ended":
            _kill(process, (guardian and guardian.group) or process.pid)
        if process.stdout is not None:
            process.stdout.close()  # not before: what is killed must not see a broken pipe first
        if guardian is not None:
            guardian.end()
        if halt is not None:
            halt.close()
    return Ended(how, process.returncode, b"".join(watch.pieces))


class _Guardian:
    """A shell that leads a program's group, and kills all of the group once this process is gone.

    It waits for the end of a pipe of which this process, and nobody else for longer than a moment, has the other end:
    so whatever kills this process is seen at once. Being there first, and for as long as the program, it also keeps the
    group's number from becoming another's.
    """

    def __init__(self) -> None:
        self.group = 0  # none: there is no such shell here
        self._process: subprocess.Popen[bytes] | None = None
        if os.name != "posix":
            return
        theirs, self._held = os.pipe()
        try:
            self._process = subprocess.Popen(
                _GUARDING, env={}, stdin=theirs, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
            )
            self.group = self._process.pid
        except OSError:
            os.close(self._held)
        finally:
            os.close(theirs)

    def end(self) -> None:
        """The program is over: what it left to run is let be."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            os.close(self._held)


class _Halt:
    """A pipe on which any thread can say that a program is to be stopped."""

    def __init__(self) -> None:
        self.told, self._tell = os.pipe()
        self._closed = False
        self._lock = threading.Lock()  # a descriptor must not be closed, and become another's, while it is written to

    def set(self) -> None:
        """The program is not wanted any more."""
        with self._lock:
            if not self._closed:
                os.write(self._tell, b"!")

    def close(self) -> None:
        """Let go of the pipe."""
        with self._lock:
            self._closed = True
            os.close(self.told)
            os.close(self._tell)


class _Watch:
    """One program that runs, and what it has said."""

    def __init__(self, process: subprocess.Popen[bytes], until: float, most_bytes: int, halt: _Halt | None) -> None:
        self.pieces: list[bytes] = []
        self._process = process
        self._until = until
        self._most_bytes = most_bytes
        self._halt = halt

    def collect(self) -> How:
        """Read until its end. Where pipes cannot be waited for it is not stopped earlier than its time."""
        if os.name != "posix":
            return self._collect_whole()
        pipe = self._process.stdout
        assert pipe is not None, "it was asked for"
        size = 0
        while (how := self._ready(pipe.fileno())) == "ended":
            piece = os.read(pipe.fileno(), _PIECE_BYTES)
            if not piece:
                return self._wait()
            self.pieces.append(piece)
            size += len(piece)
            if size > self._most_bytes:
                return "long"
        return how

    def _collect_whole(self) -> How:
        try:
            said = self._process.communicate(timeout=max(0.0, self._until - time.monotonic()))[0]
        except subprocess.TimeoutExpired:
            return "late"
        self.pieces.append(said)
        return "ended" if len(said) <= self._most_bytes else "long"

    def _ready(self, descriptor: int) -> How:
        """Wait until a descriptor has something to tell; else why the wait is over."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN | select.POLLHUP)
        if self._halt is not None:
            poll.register(self._halt.told, select.POLLIN)
        ready = dict(poll.poll(max(0.0, self._until - time.monotonic()) * 1000))
        if self._halt is not None and self._halt.told in ready:
            return "stopped"
        return "ended" if ready else "late"

    def _wait(self) -> How:
        """Wait for its end: at once where the system tells of it, else by asking again and again."""
        how: How = "ended"
        if hasattr(os, "pidfd_open"):
            descriptor = os.pidfd_open(self._process.pid)
            try:
                how = self._ready(descriptor)
            finally:
                os.close(descriptor)
        if how == "stopped":
            return how
        try:
            self._process.wait(max(0.0, self._until - time.monotonic()))
        except subprocess.TimeoutExpired:
            return "late"
        return "ended"


def _kill(process: subprocess.Popen[bytes], group: int) -> None:
    """End it, and whatever it started."""
    try:
        if os.name == "posix":
            os.killpg(group, signal.SIGKILL)
        else:
            process.kill()
    except OSError:
        process.kill()
    process.wait()
