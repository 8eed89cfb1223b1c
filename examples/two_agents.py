"""Two agents in one process talk through one file: the Python API in a minute.

    python examples/two_agents.py

Every agent is a ``Workspace``. In earnest each lives in a process of its own; the file is all that they share.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import comity


def main() -> None:
    """Ann plans, Bob works."""
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder, "shop.macp.db")
        with (
            comity.open(database, agent_id="ann", channel="shop") as ann,
            comity.open(database, agent_id="bob", channel="shop", role="edits src/") as bob,
        ):
            ann.session.start()
            bob.session.start()
            print("here:", [agent.agent_id for agent in ann.agent.list().agents])

            # Bob waits; he is woken as soon as something arrives, from whatever process.
            waiting = threading.Thread(target=work, args=(bob,))
            waiting.start()
            ann.message.broadcast(content="Please add paging to src/api.py.", priority="steering")
            waiting.join()

            for delivery in ann.message.poll(wait_ms=5000).deliveries:
                print("ann reads:", delivery.content)
                ann.message.ack(delivery_id=delivery.delivery_id)

            # What cannot be done is a Problem with a stable reason and a hint.
            try:
                ann.message.send(destination_agent_id="carol", content="Are you there?")
            except comity.Problem as problem:
                print(f"{problem.reason}: {problem.hint}")

            print("log:", [event.event_type for event in ann.event.list(newest=4).events])
            ann.session.end()
            bob.session.end()


def work(bob: comity.Workspace) -> None:
    """Wait for one message, act on it, answer, acknowledge."""
    for delivery in bob.message.poll(wait_ms=5000).deliveries:
        print("bob reads:", delivery.content)
        bob.message.send(destination_agent_id=delivery.from_.agent_id, content="[ACTION] done [FILES] src/api.py")
        bob.message.ack(delivery_id=delivery.delivery_id)


if __name__ == "__main__":
    main()
