"""Asking the programs of hosts for their versions: ``PROGRAM --version``, all at once and in bounded time.

A program that came with the checkout is not run. One that asks in turn, because it is a wrapper that runs Comity, finds
``COMITY_ASKED`` in its environment and gets no answer.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from comity.hosts.catalog import HOSTS
from comity.hosts.host import Version
from comity.hosts.versions import parse

LIMIT_S = 10.0
_MOST_BYTES = 4096
_ASKED = "COMITY_ASKED"


def versions(checkout: Path, names: Iterable[str] | None = None) -> dict[str, Version | None]:
    """The versions of the hosts on PATH for which it matters, by name; None for one that does not tell."""
    if _ASKED in os.environ:
        return {}
    programs = {
        host.name: path
        for host in HOSTS
        if host.hooks is not None and host.hooks.oldest and host.program and (names is None or host.name in names)
        if (path := shutil.which(host.program)) is not None
    }
    here = os.path.join(os.path.realpath(checkout), "")
    asked = {name: path for name, path in programs.items() if not os.path.realpath(path).startswith(here)}
    told = _told(asked)
    return {name: parse(told.get(name, "")) for name in programs}


def _told(programs: dict[str, str]) -> dict[str, str]:
    """What each program prints, cut; nothing of one that cannot be started or takes too long."""
    running: list[subprocess.Popen[bytes]] = []
    printed: dict[str, bytes] = {}
    with tempfile.TemporaryDirectory(prefix="comity-asks-") as folder, selectors.DefaultSelector() as waiting:
        try:
            for name, path in programs.items():
                with contextlib.suppress(OSError):
                    running.append(_started(path, folder))
                    waiting.register(_out(running[-1]), selectors.EVENT_READ, name)
            deadline = time.monotonic() + LIMIT_S
            while waiting.get_map() and (left := deadline - time.monotonic()) > 0:
                for key, _ in waiting.select(left):
                    chunk = os.read(key.fd, _MOST_BYTES)
                    so_far = printed[key.data] = printed.get(key.data, b"") + chunk
                    if not chunk or len(so_far) >= _MOST_BYTES:
                        waiting.unregister(key.fileobj)
        finally:
            for process in running:
                _end(process)
    return {name: text.decode("utf-8", "replace") for name, text in printed.items()}


def _started(path: str, folder: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [path, "--version"],
        cwd=folder,
        env={**os.environ, _ASKED: "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _out(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None
    return process.stdout


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the program and what it has started, and close its pipe."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    _out(process).close()
    process.wait()
