"""Running a program of Comity as a host or a person would, with bounds on its memory and its time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import comity

SOURCES = Path(comity.__file__).parents[1]
BIN = Path(sys.executable).parent
HANG_S = 2.0  # longer is a hang, on a machine that has nothing else to do
MEMORY_KIB = 1_500_000
_KILL_S = 1.0  # after that
_MOST_BUSY = 4.0
_KEPT = ("PATH", "PYTHONPYCACHEPREFIX")
_BOUND = ("/bin/sh", "-c", 'ulimit -v "$0" && exec "$@"', str(MEMORY_KIB))


class Ran(NamedTuple):
    """What one process left. ``late``: it was killed."""

    code: int
    out: str
    err: str
    took_s: float
    late: bool = False

    @property
    def text(self) -> str:
        return self.out + self.err


def environment(home: Path) -> dict[str, str]:
    """What a program sees: this home, and nothing of the person or agent that runs the tests."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    kept["PATH"] = os.pathsep.join([str(BIN), kept.get("PATH", os.defpath)])
    own = {"HOME": str(home), "LOGNAME": "me", "LC_ALL": "C.UTF-8", "COLUMNS": "500", "TZ": "UTC"}
    return {**kept, **own, "PYTHONPATH": str(SOURCES), "GIT_CONFIG_NOSYSTEM": "1"}


def busy() -> float:
    """How many times slower than alone a program runs here just now: 1 where a processor is free for it."""
    return min(_MOST_BUSY, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def kill_s() -> float:
    """When a program is ended."""
    return HANG_S * busy() + _KILL_S


def bounded(words: list[str]) -> list[str]:
    """The command with a bound on its memory."""
    return [*_BOUND, *words]


def start(words: list[str], home: Path, folder: Path, **more: str) -> subprocess.Popen[bytes]:
    """Start it, in a process group of its own."""
    return subprocess.Popen(
        bounded(words),
        cwd=folder,
        env={**environment(home), **more},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill it and what it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def run(words: list[str], home: Path, folder: Path, *, stdin: bytes = b"", limit_s: float | None = None) -> Ran:
    """Run it to its end, or to the limit."""
    began = time.monotonic()
    process = start(words, home, folder)
    late = False
    try:
        out, err = process.communicate(stdin, limit_s or kill_s())
    except subprocess.TimeoutExpired:
        late = True
        end(process)
        out, err = _rest(process)
    took_s = time.monotonic() - began
    end(process)  # whatever it left behind
    return Ran(process.returncode, _text(out), _text(err), took_s, late)


def _rest(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    try:
        return process.communicate(timeout=_KILL_S)
    except subprocess.TimeoutExpired:  # a process that left the group holds the pipes
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()
        process.wait()
        return b"", b"something that it started outlived it"


def _text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")
