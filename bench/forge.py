"""``python -m bench.forge``: hooks and commands, one process each, forked from one that has loaded them.

It reads lines of JSON: ``[root, prefix]`` begins work in that folder, ``[]`` ends it. For each process it writes a line
``[door, key, sent, answered, outcome]``, times being those of the machine's monotonic clock, and ``["", ...]`` at an
end. A hook lets its agent go on whatever happens, so its outcome is what its own log would say.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time

from comity.doors.cli import catalog
from comity.doors.cli.launch import main as command
from comity.doors.hook import run as hook_program
from comity.doors.hook.open_stores import OpenStores
from comity.doors.hook.payload import read_payload
from comity.hosts.contract import adapter_of
from comity.rooms import REGISTRY

DONE = "done"
_ASKED = ("turn.start", "edit.check", "memory.set", "session.start", "session.leave")
_CODE = 77  # of a child that has done it; whoever ends it otherwise does not know the number
VALUE = "v" * 1500


def main() -> None:
    """Work until standard input ends."""
    adapter_of("claude-code")
    for name in _ASKED:
        REGISTRY.get(name)
    catalog.build()
    root, prefix, number = "", "", 0
    while True:
        if not root or select.select([0], [], [], 0.003)[0]:
            line = sys.stdin.readline()
            if not line:
                return
            if root:
                print(json.dumps(["", "", 0, 0, ""]), flush=True)
            root, prefix = json.loads(line) or ("", "")
            continue
        number += 1
        key, door = f"{prefix}-{number}", ("hook", "command")[number % 2]
        sent = time.monotonic()
        outcome = _child(door, root, prefix, key)
        print(json.dumps([door, key, sent, time.monotonic(), outcome]), flush=True)


def _child(door: str, root: str, prefix: str, key: str) -> str:
    """What became of one process."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.chdir(root)
            code = _hook(root, prefix, key) if door == "hook" else _command(prefix, key)
        finally:
            os._exit(code)
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    code = os.waitstatus_to_exitcode(status)
    return DONE if code == _CODE else f"exit {code}"


def _hook(root: str, prefix: str, key: str) -> int:
    """A guard's question about a file that nobody has."""
    told = {"session_id": prefix, "cwd": root, "hook_event_name": "PreToolUse", "tool_name": "Write"}
    asked, answers = os.pipe(), os.open(os.devnull, os.O_RDWR)
    os.write(asked[1], json.dumps({**told, "tool_input": {"file_path": f"{root}/src/{key}.py"}}).encode())
    os.close(asked[1])
    os.dup2(asked[0], 0)
    os.dup2(answers, 1)
    hook = hook_program.Hook("claude-code", "PreToolUse", time.perf_counter(), hook_program.OwnProcess(), OpenStores())
    hook.hear(lambda: read_payload("PreToolUse"))
    code = hook.run()
    note = vars(vars(hook)["_note"])
    told_well = note["_path"] and note["_did"] in ("nothing", "inject") and not note["_why"]
    return _CODE if code == 0 and told_well else 3


def _command(prefix: str, key: str) -> int:
    quiet = os.open(os.devnull, os.O_RDWR)
    os.dup2(quiet, 0)
    os.dup2(quiet, 1)
    code = command(["memory", "set", key, VALUE, "--scope", "workspace", "--as", prefix], _no_demo)
    sys.stderr.flush()
    return code or _CODE


def _no_demo(**_: object) -> int:
    return 1


if __name__ == "__main__":
    main()
