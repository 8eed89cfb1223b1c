"""A process that registers a folder again and again.

python -m tests.rooms.vault.indexer DATABASE AGENT FOLDER TIMES
"""

from __future__ import annotations

import sys

from comity import Workspace
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore


def main(path: str, agent_id: str, folder: str, times: str) -> None:
    """Starts when its input says so, so that several begin at once."""
    store = SqliteStore(path)
    workspace = Workspace(store, Actor(agent_id, f"{agent_id}-s", channel="main", root=folder))
    workspace.session.start()
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(times)):
        workspace.vault.register(path=folder)
        workspace.vault.search(query="text")
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
