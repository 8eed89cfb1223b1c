"""A process that writes to a database, waits for a line, and writes again: ``tests.store.late_writer DATABASE``.

It tells ``here`` before it waits, and the reason of the Problem that the late write met, or ``done``.
"""

from __future__ import annotations

import os
import sys

from comity import Workspace
from comity.kernel.problem import Unavailable
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore


def main(path: str) -> None:
    """As the module says."""
    workspace = Workspace(SqliteStore(path), Actor("ann", "ann-1", channel="main"))
    workspace.session.start()
    for number in range(20):
        workspace.memory.set(key=f"k{number}", value="x" * 2000, scope="workspace")
    os.write(1, b"here\n")
    os.read(0, 1)
    try:
        workspace.memory.set(key="late", value="z", scope="workspace")
        told = "done"
    except Unavailable as problem:
        told = problem.reason
    os.write(1, f"{told}\n".encode())


if __name__ == "__main__":
    main(sys.argv[1])
