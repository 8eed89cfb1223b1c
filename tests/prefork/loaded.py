"""A process that has loaded Comity, and becomes it: one fork for each program that it is asked to start.

    python -m tests.prefork.loaded DESCRIPTOR [all]

With ``all`` it has loaded what servers need, too: three times the memory, and a fork takes as much longer.

The descriptor is a socket. A request is four descriptors (standard input, output, error, and a pipe for answers), a
length, and JSON: module, arguments, folder, environment. On its pipe come the process's id and, at its end, how it
ended, as eight bytes each. What is forked is whatever ``python -m module`` would be: its own arguments, folder,
environment, descriptors and signals, and an interpreter's end. It ran nothing of Comity before, and nothing runs
beside it.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import comity
import comity.__main__
from comity.rooms import REGISTRY

COMITY = os.path.dirname(os.path.dirname(os.path.abspath(comity.__file__)))
# Where network servers, their clients and the demo are, and what of others they ask for while they start.
_HEAVY = ("comity.doors.http", "comity.doors.live", "comity.doors.mcp_http", "comity.doors.bridge", "comity.demo")
_SERVERS = ("granian.server", "mcp.server", "mcp.client", "opentelemetry.sdk.trace", "prometheus_client")
_COMMANDS = ("cyclopts", "rich.table")
_MOST_DESCRIPTORS = 4096
_NOT_TO_BE_IMPORTED = "__main__"


def load(*, servers: bool) -> None:
    """Import everything that a command may need, so that no program has to."""
    for module in pkgutil.walk_packages(comity.__path__, "comity."):
        if not module.name.endswith(_NOT_TO_BE_IMPORTED) and (servers or not module.name.startswith(_HEAVY)):
            importlib.import_module(module.name)
    for name in (*_COMMANDS, *(_SERVERS if servers else ())):
        importlib.import_module(name)
    for op in REGISTRY:
        REGISTRY.get(op.name)
    assert threading.active_count() == 1, "a thread is not forked along"
    gc.collect()
    gc.freeze()


class Prefork:
    """Forks on request, and tells how each of them ended."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._answers: dict[int, int] = {}
        self.module = ""
        self._ended, self._woken = os.pipe()
        for descriptor in (self._ended, self._woken):
            os.set_blocking(descriptor, False)
        own = {"", os.getcwd(), *_paths(os.environ)}
        self._path = [entry for entry in sys.path if entry not in own]

    def run(self) -> bool:
        """Until nobody can ask any more, False; in a process that was forked, True."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for whoever started us
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._woken, warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([self._requests.fileno(), self._ended], [], [])
            if self._ended in ready:
                os.read(self._ended, 4096)
                self._reap()
            if self._requests.fileno() in ready:
                head, descriptors, _, _ = socket.recv_fds(self._requests, 8, 4)
                if not head:
                    return False
                if self._fork(json.loads(self._read(int.from_bytes(head))), descriptors):
                    return True

    def _read(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            piece = self._requests.recv(size - len(data))
            if not piece:
                raise EOFError("whoever asked is gone")
            data += piece
        return data

    def _reap(self) -> None:
        while self._answers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            answer = self._answers.pop(pid)
            _tell(answer, os.waitstatus_to_exitcode(status))
            os.close(answer)

    def _fork(self, asked: dict[str, Any], descriptors: list[int]) -> bool:
        pid = os.fork()
        if not pid:
            self._become(asked, descriptors)
            return True
        self._answers[pid] = descriptors.pop()
        _tell(self._answers[pid], pid)
        for descriptor in descriptors:
            os.close(descriptor)
        return False

    def _become(self, asked: dict[str, Any], descriptors: list[int]) -> None:
        """In the child: what the kernel and the interpreter give to a new program."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._requests.close()
        for place, descriptor in enumerate(descriptors[:3]):
            os.dup2(descriptor, place)
        os.closerange(3, _MOST_DESCRIPTORS)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        time.tzset()
        words = [os.fsdecode(word.encode("latin-1")) for word in asked["arguments"]]
        sys.argv = [comity.__main__.__file__, *words]
        sys.orig_argv = [sys.executable, "-m", asked["module"], *words]
        self.module = asked["module"]
        sys.path[:] = [os.getcwd(), *_paths(asked["environment"]), *self._path]


def _paths(environment: Mapping[str, str]) -> list[str]:
    return [entry for entry in environment.get("PYTHONPATH", "").split(os.pathsep) if entry]


def _tell(pipe: int, number: int) -> None:
    try:
        os.write(pipe, number.to_bytes(8, signed=True))
    except BrokenPipeError:
        return  # nobody waits for it any more


def _run(module: str) -> None:
    """The program, and what an interpreter does at its end; only memory is not tidied up, which would take a while."""
    code: object = None
    try:
        if module == "comity":
            code = comity.__main__.main()
        else:
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as error:
        code = error.code
    except BaseException:  # noqa: BLE001 (as an interpreter would tell it)
        code = 1
        sys.excepthook(*sys.exc_info())
    if not isinstance(code, int | None):
        print(code, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    failed = 0
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError as error:
            failed = 120
            with suppress(OSError):
                print(f"Exception ignored: {error!r}", file=sys.stderr, flush=True)
    os._exit(failed or (code if isinstance(code, int) else int(code is not None)))


if __name__ == "__main__":
    load(servers=sys.argv[2:] == ["all"])
    prefork = Prefork(socket.socket(fileno=int(sys.argv[1])))
    if prefork.run():
        _run(prefork.module)
