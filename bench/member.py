"""One of many processes on one file: ``python -m bench.member``. Speaks JSON lines with the benchmark that starts it.

It registers, says ``ready``, and for each line ``{"seconds": s, "pace": p, "peers": [...]}`` works that long: rounds of
a send, a poll and an acknowledgement of all that the poll found. ``pace`` is rounds a second; 0 is flat out. It answers
with what it did. An empty line ends it; before, it takes in what is still pending.
"""

from __future__ import annotations

import json
import random
import sys
import time
from typing import Any

import comity
from bench.ground import CONTENT
from comity import Problem


class Member:
    """Counts what it does. Times are seconds."""

    def __init__(self, workspace: comity.Workspace) -> None:
        self.workspace = workspace
        self.waits: list[float] = []
        self.rounds: list[float] = []
        self.sent: list[str] = []
        self.polled: list[str] = []
        self.acked: list[str] = []
        self.errors: list[str] = []

    def timed(self, call: Any, **arguments: object) -> Any:
        """The call's result, or None and an error noted."""
        start = time.perf_counter()
        try:
            return call(**arguments)
        except Problem as problem:
            self.errors.append(f"{problem.reason}: {problem.message}")
            return None
        finally:
            self.waits.append(time.perf_counter() - start)

    def round(self, peer: str) -> None:
        """Send, poll, acknowledge."""
        message = self.workspace.message
        start = time.perf_counter()
        sent = self.timed(message.send, destination_agent_id=peer, content=CONTENT)
        if sent is not None:
            self.sent += sent.delivery_ids
        self.take()
        self.rounds.append(time.perf_counter() - start)

    def take(self) -> int:
        """Poll and acknowledge; how many there were."""
        message = self.workspace.message
        found = self.timed(message.poll)
        for delivery in found.deliveries if found is not None else ():
            self.polled.append(delivery.delivery_id)
            if self.timed(message.ack, delivery_id=delivery.delivery_id) is not None:
                self.acked.append(delivery.delivery_id)
        return len(found.deliveries) if found is not None else 0

    def work(self, seconds: float, pace: float, peers: list[str]) -> dict[str, object]:
        """Rounds for that long; what was done, and the waits in milliseconds."""
        self.waits, self.rounds = [], []
        phase = random.random()  # agents do not beat in time with each other
        begin = time.perf_counter()
        number = 0
        while (now := time.perf_counter() - begin) < seconds:
            due = (number + phase) / pace if pace else now
            if due >= seconds:
                break
            if due > now:
                time.sleep(due - now)
            self.round(peers[number % len(peers)])
            number += 1
        return {
            "rounds": [round(value * 1e3, 3) for value in self.rounds],
            "waits": [round(value * 1e3, 3) for value in self.waits],
            "seconds": time.perf_counter() - begin,
        }

    def ledger(self) -> dict[str, object]:
        """Everything that was sent, handed out and acknowledged since the start."""
        return {"sent": self.sent, "polled": self.polled, "acked": self.acked, "errors": self.errors}


def main() -> None:
    """As the module says."""
    path, agent_id, durability = sys.argv[1:]
    workspace = comity.open(
        path, agent_id=agent_id, session_id=f"session-{agent_id}", channel="main", durability=durability
    )
    workspace.session.start()
    member = Member(workspace)
    print('"ready"', flush=True)
    for line in sys.stdin:
        if not line.strip():
            break
        print(json.dumps(member.work(**json.loads(line))), flush=True)
    while member.take():
        pass
    workspace.close()
    print(json.dumps(member.ledger()), flush=True)


if __name__ == "__main__":
    main()
