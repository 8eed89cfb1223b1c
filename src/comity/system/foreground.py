"""Running a program in place of this one: with its terminal, and with a process group of its own.

Signals are passed on to the whole group, and when one has ended the program, whatever is left of its group is killed. A
program that is stopped stops this process, too. What can go wrong: when this process itself is killed, nothing of it
can end the program; so a shell waits beside it, which then does.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType
from typing import Self

from comity.kernel.problem import Invalid

_KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
GRACE_S = 10.0  # between a signal and the end of whoever does not heed it
_PASSED_ON = [
    number for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT") if (number := getattr(signal, name, None)) is not None
]
_WATCHER = (
    'trap "" INT TERM HUP QUIT; read -r over && exit; kill -TERM "-$1" 2>/dev/null; sleep 1; '
    'kill -KILL "-$1" 2>/dev/null'
)


def run(program: Sequence[str], meanwhile: Callable[[], None], every_s: float) -> int:
    """Run a program to its end; its exit code as shells tell it, 128 and the signal that ended it.

    ``meanwhile`` is called every ``every_s`` seconds, on another thread. Raises Invalid ``program.missing``.
    """
    with _Signals() as signals:
        try:
            process = subprocess.Popen(program, process_group=0 if os.name == "posix" else None)
        except (OSError, ValueError) as error:
            raise Invalid(
                "program.missing",
                f"{program[0][:200]!r} could not be started: {getattr(error, 'strerror', None) or error}.",
                "Name a program and its arguments after --run --; a shell's own words need sh -c.",
            ) from None
        watcher = _watcher(process.pid)
        over = threading.Event()
        pulse = threading.Thread(target=_pulse, args=(over, meanwhile, every_s), name="comity-hold", daemon=True)
        pulse.start()
        try:
            signals.pass_on(process.pid)
            with _Terminal(process.pid) as terminal:
                code = _wait(process, terminal)
            if signals.heard:
                _signal(process.pid, _KILL)
        finally:
            over.set()
            pulse.join()
            if watcher is not None:
                watcher.communicate(b"over\n")
    return code if code >= 0 else 128 - code


def _pulse(over: threading.Event, meanwhile: Callable[[], None], every_s: float) -> None:
    while not over.wait(every_s):
        meanwhile()


def _wait(process: subprocess.Popen[bytes], terminal: _Terminal) -> int:
    """Wait for the end; a program that is stopped stops this one as well, and goes on with it."""
    if os.name != "posix":
        return process.wait()
    while True:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode
        terminal.back()
        os.kill(os.getpid(), signal.SIGSTOP)
        terminal.give()
        _signal(process.pid, signal.SIGCONT)


def _watcher(group: int) -> subprocess.Popen[bytes] | None:
    """A shell that ends the group when this process is gone without a word."""
    if os.name != "posix":
        return None
    quiet = subprocess.DEVNULL
    arguments = ["/bin/sh", "-c", _WATCHER, "sh", str(group)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=quiet, stderr=quiet, start_new_session=True)


def _signal(group: int, number: int) -> None:
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(group, number)
        else:
            os.kill(group, number)


class _Signals:
    """What is signalled to this process while the program runs, passed on to its group."""

    def __init__(self) -> None:
        self.heard: list[int] = []
        self._group = 0
        self._before: dict[int, object] = {}
        self._last: threading.Timer | None = None

    def pass_on(self, group: int) -> None:
        """To this group from now on, and what was heard before."""
        self._group = group
        for number in self.heard:
            self._tell(number)

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self.heard.append(number)
        if self._group:
            self._tell(number)

    def _tell(self, number: int) -> None:
        _signal(self._group, number)
        if os.name == "posix":
            _signal(self._group, signal.SIGCONT)
        if self._last is None:
            self._last = threading.Timer(GRACE_S, _signal, (self._group, _KILL))
            self._last.daemon = True
            self._last.start()

    def __enter__(self) -> Self:
        for number in _PASSED_ON:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
                self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        if self._last is not None:
            self._last.cancel()
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]


class _Terminal:
    """The terminal, which is the program's while it runs, if it was this process's."""

    def __init__(self, group: int) -> None:
        self._group = group
        self._ours = False

    def give(self) -> None:
        """To the program's group."""
        if self._ours:
            self._put(self._group)

    def back(self) -> None:
        """To this process's group."""
        if self._ours:
            self._put(os.getpgrp())

    def _put(self, group: int) -> None:
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            with suppress(OSError):
                os.tcsetpgrp(0, group)
        finally:
            signal.signal(signal.SIGTTOU, before)

    def __enter__(self) -> Self:
        with suppress(OSError, AttributeError):
            self._ours = os.isatty(0) and os.tcgetpgrp(0) == os.getpgrp()
        self.give()
        if self._ours:
            _signal(self._group, signal.SIGCONT)  # it may have read from the terminal before it was its
        return self

    def __exit__(self, *_: object) -> None:
        self.back()
