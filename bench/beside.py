"""Another implementation of the protocol beside Comity: processes of either at work on one file, in turn.

``ORIGINAL`` is the command that starts the other one's stdio server; without it Comity stands beside itself, which
shows the noise. Both are told who they are by the protocol's environment variables, and register over MCP.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from subprocess import PIPE, Popen

from bench.figures import Figure, Options, median, short
from bench.ground import CHANNEL, CONTENT, Ground
from bench.server import Server, compile_bytecode

AGENTS = 8
ROUNDS = 25
_OWN = shlex.join([sys.executable, "-m", "comity", "mcp"])


def measure(options: Options) -> list[Figure]:
    """No bar is set: the other one's speed is not ours to promise. At least as fast is what is written down."""
    compile_bytecode()
    theirs = os.environ.get("ORIGINAL") or _OWN
    with Ground(options.folder) as ground:
        sides = [_Side(_OWN, "ours", ground), _Side(theirs, "other", ground)]
        try:
            taken_s: list[tuple[float, float]] = []
            for turn in range(options.size(15, 3)):
                order = sides if turn % 2 else sides[::-1]
                done = {side: side.block() for side in order}
                taken_s.append((done[sides[0]], done[sides[1]]))
        finally:
            for side in sides:
                side.close()
    rate = AGENTS * ROUNDS
    beside = {
        "Comity": f"{short(rate / median(own for own, _ in taken_s))} rounds/s",
        theirs if theirs != _OWN else "Comity again": f"{short(rate / median(other for _, other in taken_s))} rounds/s",
    }
    ratio = median(other / own for own, other in taken_s)
    what = f"{AGENTS} processes each, a round is a send, a poll and the acks: rounds a second, of the other's"
    return [Figure(what, ratio, " x", "at least", 1 if theirs != _OWN else 0, beside)]


class _Side:
    """Some servers of one implementation, each of an agent of its own."""

    def __init__(self, command: str, name: str, ground: Ground) -> None:
        self._names = [f"{name}-{number}" for number in range(AGENTS)]
        self._servers = [_Beside(shlex.split(command), ground, agent) for agent in self._names]
        self._pool = ThreadPoolExecutor(AGENTS)
        for server in self._servers:
            server.greet()
        for server in self._servers:
            server.call("macp_poll")

    def block(self) -> float:
        """Seconds that all of them together take for their rounds, at once."""
        start = time.perf_counter()
        list(self._pool.map(self._work, range(AGENTS)))
        return time.perf_counter() - start

    def _work(self, own: int) -> None:
        server, peer = self._servers[own], self._names[(own + 1) % AGENTS]
        for _ in range(ROUNDS):
            server.call("macp_send_direct", destinationAgentId=peer, content=CONTENT)
            found = json.loads(server.call("macp_poll")["content"][0]["text"])["deliveries"]
            for delivery in found:
                server.call("macp_ack", deliveryId=delivery["deliveryId"])

    def close(self) -> None:
        """End the servers."""
        self._pool.shutdown()
        for server in self._servers:
            server.close()


class _Beside(Server):
    """A stdio server of any implementation, told by the environment who it is."""

    def __init__(self, command: Sequence[str], ground: Ground, agent_id: str) -> None:
        foreign = ("MACP_", "COMITY_", "CLAUDE", "GEMINI", "PYTHONDONTWRITEBYTECODE")
        env = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        told = {"MACP_DB_PATH": ground.path, "MACP_PROJECT_ROOT": ground.folder, "MACP_PROJECT_ID": "bench"}
        who = {"MACP_AGENT_ID": agent_id, "MACP_AGENT_NAME": agent_id, "MACP_DEFAULT_CHANNEL": CHANNEL}
        self.process = Popen(command, stdin=PIPE, stdout=PIPE, cwd=ground.folder, env={**env, **told, **who})
        self._ids = count(1)
