"""A process that forks writers, each a fresh process on the file, without paying for a new interpreter every time.

    python -m tests.sim.nursery

Each line of its input is a JSON list: database, agent id, rounds, seed, peers. Each line of its output is a JSON list
from one of the writers: its process id, an operation's name and what it answered; first of all ``born``.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from contextlib import suppress
from typing import Any

from comity import Workspace
from comity.kernel.record import to_json
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore
from tests.sim.writer import work


def tell(operation: str, result: Any) -> None:
    """One line, in one write that the kernel keeps whole."""
    line = json.dumps([os.getpid(), operation, to_json(result)]) + "\n"
    os.write(1, line.encode())


def live(path: str, agent_id: str, rounds: int, seed: int, peers: list[str]) -> None:
    """One writer's life, in the child."""
    tell("born", agent_id)
    store = SqliteStore(path)
    actor = Actor(agent_id, f"{agent_id}-{seed}", channel="main", max_pending_messages=100_000)
    workspace = Workspace(store, actor)
    tell("start", workspace.session.start())
    work(workspace, rounds, random.Random(seed), peers, tell)
    store.close()


def main() -> None:
    """Until the input ends; then the writers that still live are waited for."""
    for line in sys.stdin:
        if os.fork() == 0:
            signal.alarm(60)
            live(*json.loads(line))
            os._exit(0)
    with suppress(ChildProcessError):
        while True:
            os.wait()


if __name__ == "__main__":
    main()
