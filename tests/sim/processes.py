"""Starting the programs of the tests as processes of their own: forked from one that has loaded Comity."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.prefork.started import Started

ROOT = Path(__file__).resolve().parents[2]


def spawn(module: str, *arguments: object) -> Started:
    """``python -m module arguments``; its output is a pipe, its input too."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(ROOT)))}
    return Started([*map(str, arguments)], module=module, env=environment, cwd=ROOT, stderr=None)


def lines(output: bytes) -> list[Any]:
    """What a writer told; a line that its death cut off is not a promise."""
    return [json.loads(line) for line in output.split(b"\n")[:-1]]


class Nursery:
    """Writers by process id, and what they told."""

    def __init__(self) -> None:
        self.process = spawn("tests.sim.nursery")
        self.told: dict[int, list[tuple[str, Any]]] = {}

    def bear(self, *life: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(life).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> int:
        """Take one line; the id of the writer who told it."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.endswith(b"\n"), "the nursery died"
        pid, operation, result = json.loads(line)
        self.told.setdefault(pid, []).append((operation, result))
        return int(pid)

    def end(self) -> None:
        """Hear everything that was ever told."""
        rest, _ = self.process.communicate()
        for line in rest.splitlines():
            pid, operation, result = json.loads(line)
            self.told.setdefault(pid, []).append((operation, result))
        assert self.process.returncode == 0

    def promises(self, operation: str) -> list[Any]:
        return [result for told in self.told.values() for name, result in told if name == operation]
