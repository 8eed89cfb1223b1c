"""Starting Comity in a moment: as a process of its own that is forked from one which has loaded it.

It has its own arguments, folder, environment, descriptors, signals, exit code and end. What it lacks is the start of
the interpreter and of the modules, which takes most of a short command's time; that every command starts for real is
the subject of tests/doors/cli/test_starts.py. One process that forks is kept for each set of variables that the
interpreter itself reads, and ends with the tests.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, Any, Self

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src"
_START_S = 60.0
_SERVERS = {"serve", "--url"}  # words of a command that loads much
_INTERPRETERS = ("PYTHON", "LC_", "LANG")
_Key = tuple[bool, tuple[tuple[str, str], ...]]


class Prefork:
    """The process that has loaded Comity."""

    def __init__(self, environment: Mapping[str, str], *, servers: bool) -> None:
        self._asks, theirs = socket.socketpair()
        self._turn = threading.Lock()
        paths = os.pathsep.join([str(SOURCES), str(ROOT)])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.prefork.loaded", str(theirs.fileno()), *(["all"] if servers else [])],
            cwd=ROOT,
            env={**environment, "PYTHONPATH": paths},
            stdin=subprocess.PIPE,  # none of the three is a terminal's: nor are those of the programs
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=[theirs.fileno()],
        )
        theirs.close()

    def start(self, asked: Mapping[str, Any], streams: Sequence[int]) -> tuple[int, int]:
        """Fork a program; its process id, and the pipe on which its end will be told."""
        answer, theirs = os.pipe()
        data = json.dumps(asked).encode()
        try:
            with self._turn:
                socket.send_fds(self._asks, [len(data).to_bytes(8)], [*streams, theirs])
                self._asks.sendall(data)
        finally:
            os.close(theirs)
        pid = _told(answer, _START_S)
        assert pid is not None, "no process came to be"
        return pid, answer

    def why(self) -> str:
        """What it said when it ended; empty while it runs."""
        return "" if self._process.poll() is None else self._process.communicate()[1].decode()

    def end(self) -> None:
        """Ask for nothing any more, and wait until it is gone."""
        self._asks.close()
        self._process.communicate()


def _told(pipe: int, within_s: float | None) -> int | None:
    """The next number on a pipe; None when none came in time."""
    ready, _, _ = select.select([pipe], [], [], within_s)
    if not ready:
        return None
    data = os.read(pipe, 8)
    assert len(data) == 8, "the process that forks is gone"
    return int.from_bytes(data, signed=True)


_running: dict[_Key, Prefork] = {}
_choosing = threading.Lock()


def _prefork(environment: Mapping[str, str], *, servers: bool) -> Prefork:
    """The one whose interpreter started with these variables, and that has loaded what servers need or not."""
    own = {name: value for name, value in environment.items() if name.startswith(_INTERPRETERS)}
    own.pop("PYTHONPATH", None)
    key = servers, tuple(sorted(own.items()))
    with _choosing:
        if key not in _running:
            _running[key] = Prefork({**own, "PATH": os.environ["PATH"], "HOME": os.devnull}, servers=servers)
        return _running[key]


@atexit.register
def _end() -> None:
    while _running:
        _running.popitem()[1].end()


class Started:
    """A module, ``comity`` unless said, with some arguments, running: as ``subprocess.Popen`` of ``python -m module``.

    ``cwd`` comes first where it looks for modules, and then the sources.
    """

    def __init__(
        self,
        arguments: Sequence[str | bytes],
        *,
        cwd: str | Path,
        env: Mapping[str, str],
        stdin: int | None = subprocess.PIPE,
        stdout: int | None = subprocess.PIPE,
        stderr: int | None = subprocess.PIPE,
        module: str = "comity",
    ) -> None:
        asked = {
            "module": module,
            "arguments": [os.fsencode(word).decode("latin-1") for word in arguments],
            "folder": str(cwd),
            "environment": dict(env),
        }
        theirs: list[int] = []
        ours: list[int] = []
        try:
            for place, wanted in enumerate((stdin, stdout, stderr)):
                mine, other = _stream(place, wanted)
                ours.append(mine)
                theirs.append(other)
            servers = module == "comity.demo" or not _SERVERS.isdisjoint(arguments)
            prefork = _prefork(env, servers=servers)
            try:
                self.pid, self._end = prefork.start(asked, theirs)
            except (AssertionError, BrokenPipeError) as gone:
                raise AssertionError(f"no process came to be: {gone}\n{prefork.why()}") from None
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        self.args = arguments
        self.returncode: int | None = None
        self._waiting = threading.Lock()
        self.stdin = io.FileIO(ours[0], "wb") if ours[0] >= 0 else None
        self.stdout: IO[bytes] | None = os.fdopen(ours[1], "rb") if ours[1] >= 0 else None
        self.stderr: IO[bytes] | None = os.fdopen(ours[2], "rb") if ours[2] >= 0 else None

    def poll(self) -> int | None:
        """How it ended, when it has."""
        with self._waiting:
            if self.returncode is None:
                self._note(_told(self._end, 0))
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end."""
        with self._waiting:
            if self.returncode is None:
                self._note(_told(self._end, timeout))
            if self.returncode is None:
                raise subprocess.TimeoutExpired(["comity", *map(os.fsdecode, self.args)], timeout or 0)
        return self.returncode

    def _note(self, code: int | None) -> None:
        if code is not None:
            self.returncode = code
            os.close(self._end)

    def send_signal(self, number: int) -> None:
        """Send a signal, when it has not ended."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, data: bytes = b"", timeout: float | None = None) -> tuple[bytes, bytes]:
        """Give it its input, take all of its output, and wait for its end."""
        end = None if timeout is None else monotonic() + timeout
        streams = [one for one in (self.stdout, self.stderr) if one is not None and not one.closed]
        found = {one: bytearray() for one in streams}
        rest = self._write(memoryview(data), at_once=False)
        while streams or rest:
            readable, writable, _ = select.select(streams, [self.stdin] if rest and self.stdin else [], [], _left(end))
            if not readable and not writable:
                raise subprocess.TimeoutExpired(["comity"], timeout or 0)
            for stream in readable:
                piece = os.read(stream.fileno(), 65536)
                found[stream] += piece
                if not piece:
                    streams.remove(stream)
            if writable:
                rest = self._write(rest)
        self.wait(_left(end))
        out, err = (bytes(found.pop(one, b"")) if one else b"" for one in (self.stdout, self.stderr))
        self._close()
        return out, err

    def _write(self, rest: memoryview, *, at_once: bool = True) -> memoryview:
        """Write what a pipe that has room takes, and close it after the last; what is left."""
        if self.stdin is None or self.stdin.closed:
            return rest[:0]
        try:
            if at_once:
                rest = rest[os.write(self.stdin.fileno(), rest[: select.PIPE_BUF]) :]
        except BrokenPipeError:
            rest = rest[:0]
        if not rest:
            self.stdin.close()
        return rest

    def _close(self) -> None:
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()
        self.wait(_START_S)


def _left(end: float | None) -> float | None:
    return None if end is None else max(0.0, end - monotonic())


def _stream(place: int, wanted: int | None) -> tuple[int, int]:
    """Our end (-1 for none) and the program's end of one of the three; None stands for ours."""
    if wanted == subprocess.DEVNULL:
        return -1, os.open(os.devnull, os.O_RDWR)
    if wanted != subprocess.PIPE:
        return -1, os.dup(place if wanted is None else wanted)
    reading, writing = os.pipe()
    return (writing, reading) if place == 0 else (reading, writing)
