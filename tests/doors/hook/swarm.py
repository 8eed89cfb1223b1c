"""Many hooks one after the other, each in a process of its own that is forked from one which has loaded the command.

``comity hook`` as the installed command runs it, but for the start of the interpreter: hundreds of hooks in seconds.
As a program it reads cases as JSON from standard input and answers with what each of them left.
"""

from __future__ import annotations

import base64
import json
import os
import resource
import select
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple

from comity.__main__ import main
from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import adapter_of
from comity.rooms import REGISTRY
from tests.doors.cli.program import Done
from tests.doors.hook.hooked import Hooked

SOURCES = Path(__file__).parents[3]
LIMIT_S = 20.0


class Case(NamedTuple):
    """One hook: its host and event, what it reads, where it runs, and how large a file it may write at most.

    ``more``: so many further bytes to read.
    """

    host: str
    event: str
    data: bytes
    cwd: str = ""
    file_bytes: int = -1
    more: int = 0
    closed: tuple[int, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()


def swarm(hooked: Hooked, cases: list[Case]) -> list[Done]:
    """What the hooks leave, in order."""
    told = [{**case._asdict(), "data": base64.b64encode(case.data).decode()} for case in cases]
    done = subprocess.run(
        [sys.executable, "-m", "tests.doors.hook.swarm"],
        cwd=hooked.folder,
        env={**hooked.comity.environment(), "PYTHONPATH": os.pathsep.join([str(SOURCES / "src"), str(SOURCES)])},
        input=json.dumps(told).encode(),
        capture_output=True,
        check=True,
    )
    return [Done(*found) for found in json.loads(done.stdout)]


def _run(case: dict[str, Any]) -> tuple[int, str, str]:
    """Fork, run, and wait for no longer than the limit."""
    pipes = [os.pipe() for _ in range(3)]
    pid = os.fork()
    if pid == 0:
        _child(case, pipes)
    for descriptor in (pipes[0][0], pipes[1][1], pipes[2][1]):
        os.close(descriptor)
    gathered = _exchange(base64.b64decode(case["data"]) + b"x" * case["more"], pipes[0][1], pipes[1][0], pipes[2][0])
    late = gathered is None
    if late:
        os.kill(pid, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    out, err = gathered or (b"", b"it took too long")
    return code, out.decode("utf-8", "backslashreplace"), err.decode("utf-8", "backslashreplace")


def _exchange(data: bytes, to: int, out: int, err: int) -> tuple[bytes, bytes] | None:
    """Write and read at once; None when it does not end."""
    end = monotonic() + LIMIT_S
    found: dict[int, bytes] = {out: b"", err: b""}
    reading, rest = [out, err], memoryview(data)
    os.set_blocking(to, False)
    while reading:
        writing = [to] if to >= 0 else []
        readable, writable, _ = select.select(reading, writing, [], max(0.0, end - monotonic()))
        if not readable and not writable:
            return None
        for descriptor in readable:
            piece = os.read(descriptor, 65536)
            found[descriptor] += piece
            if not piece:
                reading.remove(descriptor)
                os.close(descriptor)
        if writable:
            try:
                rest = rest[os.write(to, rest) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                rest = memoryview(b"")
            if not rest:
                os.close(to)
                to = -1
    if to >= 0:
        os.close(to)
    return found[out], found[err]


def _child(case: dict[str, Any], pipes: list[tuple[int, int]]) -> None:
    try:
        for place, descriptor in enumerate((pipes[0][0], pipes[1][1], pipes[2][1])):
            os.dup2(descriptor, place)
        os.closerange(3, 256)
        for descriptor in case["closed"]:
            os.close(descriptor)
        if case["cwd"]:
            with suppress(OSError):
                os.chdir(case["cwd"])
        if case["file_bytes"] >= 0:
            resource.setrlimit(resource.RLIMIT_FSIZE, (case["file_bytes"], case["file_bytes"]))
        os.environ.update(case["environment"])
        sys.argv = ["comity", "hook", case["host"], case["event"]]
        code = main()
    except BaseException as error:  # noqa: BLE001
        os.write(2, f"Traceback: {error!r}".encode())
        os._exit(98)
    os._exit(code)


def _load() -> None:
    """What hooks load, once for all."""
    for host in ADAPTERS:
        adapter_of(host)
    for name in (
        "turn.start",
        "turn.next",
        "turn.stop",
        "turn.written",
        "edit.check",
        "command.check",
        "session.leave",
    ):
        REGISTRY.get(name)


if __name__ == "__main__":
    _load()
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sys.stdout.write(json.dumps([_run(case) for case in json.load(sys.stdin)]))
