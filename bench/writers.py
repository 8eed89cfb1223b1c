"""``python -m bench.writers PATH AGENTS SECONDS``: agents that each send to their channel once a second.

They begin when a line comes on standard input, evenly spread over the second. What they get they read and acknowledge,
so that no queue overflows.
"""

from __future__ import annotations

import sys
import time

import comity
from bench.ground import CHANNEL, CONTENT


def main() -> int:
    """The exit code."""
    path, agents, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    people = []
    for number in range(agents):
        name = f"writer-{number:02}"
        person = comity.open(path, agent_id=name, agent_name=name, session_id=f"session-{name}", channel=CHANNEL)
        person.session.start()
        people.append(person)
    print("ready", flush=True)
    sys.stdin.readline()
    start = time.monotonic()
    for turn in range(int(agents * seconds)):
        time.sleep(max(0.0, start + turn / agents - time.monotonic()))
        person = people[turn % agents]
        person.message.broadcast(content=CONTENT)
        for delivery in person.message.poll().deliveries:
            person.message.ack(delivery_id=delivery.delivery_id)
    for person in people:
        person.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
