"""A process that makes tokens until it is killed or has made enough, and tells each secret once it has it.

python -m tests.rooms.tokens.maker DATABASE HOW_MANY
"""

from __future__ import annotations

import os
import sys

from comity import Workspace
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore


def main() -> None:
    """As the module says."""
    path, how_many = sys.argv[1:]
    with Workspace(SqliteStore(path), Actor(f"maker-{os.getpid()}", "")) as workspace:
        for _ in range(int(how_many)):
            os.write(1, workspace.token.create(role="worker").secret.encode() + b"\n")


if __name__ == "__main__":
    main()
