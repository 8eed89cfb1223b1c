"""Stdio servers that start while four processes only compute, and a stream of messages between two programs.

An agent is reachable once its server has answered ``initialize``: a message that is sent in the same moment has to find
its recipient. And programs may use the bus at full speed, with the same text again and again.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import comity
from bench.figures import Figure, Options
from bench.ground import CONTENT, Ground
from bench.server import Server, compile_bytecode
from comity import Problem

SERVERS, MESSAGES, BURNERS = 12, 300, 4
_AT_ONCE = 30  # messages until the recipient takes them in


def measure(options: Options) -> list[Figure]:
    """Bars: every server is reachable, every message passes."""
    compile_bytecode()
    times = options.size(5, 1)
    with _busy():
        missed = sum(_unreachable(options) for _ in range(times))
        lost = sum(MESSAGES - _passed(options) for _ in range(times))
    busy = {"beside": f"{BURNERS} processes that only compute", "times": str(times)}
    return [
        Figure(f"{SERVERS} servers at once, not reachable when initialize is answered", missed, "", "at most", 0, busy),
        Figure(f"{MESSAGES} messages of one text between two programs, held back", lost, "", "at most", 0, busy),
    ]


@contextmanager
def _busy() -> Iterator[None]:
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(BURNERS)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def _unreachable(options: Options) -> int:
    """How many of the servers did not get what was sent as soon as they had answered."""
    missed = 0
    with Ground(options.folder) as ground, ExitStack() as kept:
        sender = kept.enter_context(ground.agent("sender"))
        names = [f"agent-{number:02}" for number in range(SERVERS)]
        servers = {name: kept.enter_context(Server(ground.path, name)) for name in names}
        for server in servers.values():
            server.greet()
        for name, server in servers.items():
            server.receive(1)
            missed += not _hears(sender, name, server)
    return missed


def _hears(sender: comity.Workspace, name: str, server: Server) -> bool:
    try:
        sent = sender.message.send(destination_agent_id=name, content=CONTENT)
    except Problem:
        return False
    found = server.call("macp_poll")["structuredContent"]["deliveries"]
    return [one["messageId"] for one in found] == [sent.message_id]


def _passed(options: Options) -> int:
    """How many of the messages the recipient got, each once."""
    with Ground(options.folder) as ground, Server(ground.path, "left") as left, Server(ground.path, "right") as right:
        for server in (left, right):
            server.greet()
            server.receive(1)
        heard: set[str] = set()
        for _ in range(MESSAGES // _AT_ONCE):
            for _ in range(_AT_ONCE):
                left.receive(left.start_call("macp_send_direct", destinationAgentId="right", content=CONTENT))
            found = right.call("macp_poll", maxMessages=_AT_ONCE + 1)["structuredContent"]["deliveries"]
            heard |= {one["messageId"] for one in found}
            for one in found:
                right.call("macp_ack", deliveryId=one["deliveryId"])
        return len(heard)
