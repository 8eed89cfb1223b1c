"""Many hooks, each in a process of its own that is forked from one which has loaded the command.

As a program it reads cases as JSON from standard input and writes a line for what each of them left.
"""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import sys
from contextlib import suppress
from time import monotonic
from typing import Any

from comity.__main__ import main
from comity.hosts.catalog import ADAPTERS
from comity.hosts.contract import adapter_of
from comity.rooms import REGISTRY

_ASKED = ("turn.start", "turn.next", "turn.stop", "turn.written", "edit.check", "command.check", "session.leave")


def one(case: dict[str, Any], limit_s: float) -> dict[str, object]:
    """Fork, run, and wait for no longer than the limit."""
    began = monotonic()
    asked, told, failed = os.pipe(), os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(case, (asked[0], told[1], failed[1]))
    for descriptor in (asked[0], told[1], failed[1]):
        os.close(descriptor)
    with suppress(BrokenPipeError):
        os.write(asked[1], base64.b64decode(case["data"]))  # shorter than what a pipe holds
    os.close(asked[1])
    found: dict[int, bytes] = {told[0]: b"", failed[0]: b""}
    reading, late = list(found), False
    while reading and not late:
        ready, _, _ = select.select(reading, [], [], max(0.0, began + limit_s - monotonic()))
        late = not ready
        for descriptor in ready:
            piece = os.read(descriptor, 65536)
            found[descriptor] += piece
            if not piece:
                reading.remove(descriptor)
    took_s = monotonic() - began
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL) if late else None
        os.kill(pid, signal.SIGKILL) if late else None
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    for descriptor in found:
        os.close(descriptor)
    out, err = (found[one].decode("utf-8", "backslashreplace") for one in (told[0], failed[0]))
    return {"code": code, "out": out, "err": err, "took_s": took_s, "late": late}


def _child(case: dict[str, Any], streams: tuple[int, int, int]) -> None:
    code = 98
    try:
        os.setsid()
        for place, descriptor in enumerate(streams):
            os.dup2(descriptor, place)
        os.closerange(3, 256)
        with suppress(OSError):
            os.chdir(case["folder"])
        sys.argv = ["comity", "hook", *case["words"]]
        code = main()
    except BaseException as error:  # noqa: BLE001
        os.write(2, f"Traceback: {error!r}".encode())
    os._exit(code)


def _load() -> None:
    for host in ADAPTERS:
        adapter_of(host)
    for name in _ASKED:
        REGISTRY.get(name)


if __name__ == "__main__":
    _load()
    told_s, cases = json.load(sys.stdin)
    for given in cases:
        left = one(given, told_s)
        sys.stdout.write(json.dumps(left) + "\n")
        sys.stdout.flush()
        if left["late"]:
            break
