"""A process that works on a file until it is done or killed, and tells after each operation what it did.

    python -m tests.sim.writer DATABASE AGENT_ID ROUNDS SEED PEER...

It registers, joins ``main`` and then sends, broadcasts, polls and acknowledges in an order that SEED decides. Each line
of its output is JSON: the operation's name and what it answered. A line that was read is a promise.
"""

from __future__ import annotations

import json
import os
import random
import sys
from collections.abc import Callable
from typing import Any

from comity import Workspace
from comity.kernel.problem import Limited, NotFound
from comity.kernel.record import to_json
from comity.kernel.scope import Actor
from comity.store.sqlite import SqliteStore


def tell(operation: str, result: Any) -> None:
    """One line, at once."""
    line = json.dumps([operation, to_json(result)]) + "\n"
    os.write(1, line.encode())


def work(
    workspace: Workspace, rounds: int, chance: random.Random, peers: list[str], tell: Callable[[str, Any], None]
) -> None:
    """A random operation each round."""
    for number in range(rounds):
        content = f"{workspace.actor.session_id} {number}"
        kind = chance.choice(("send", "send", "broadcast", "poll"))
        if kind == "broadcast":
            tell("broadcast", workspace.message.broadcast(content=content))
        elif kind == "send":
            try:
                tell("send", workspace.message.send(destination_agent_id=chance.choice(peers), content=content))
            except (NotFound, Limited):  # that peer has not registered yet, or its queue is full
                tell("refused", None)
        else:
            for delivery in workspace.message.poll(max_messages=5).deliveries:
                tell("polled", delivery.delivery_id)
                tell("ack", workspace.message.ack(delivery_id=delivery.delivery_id))


def main() -> None:
    """As the module says."""
    path, agent_id, rounds, seed, *peers = sys.argv[1:]
    store = SqliteStore(path)
    workspace = Workspace(store, Actor(agent_id, f"{agent_id}-{seed}", channel="main", max_pending_messages=100_000))
    tell("start", workspace.session.start())
    work(workspace, int(rounds), random.Random(int(seed)), peers, tell)
    store.close()


if __name__ == "__main__":
    main()
