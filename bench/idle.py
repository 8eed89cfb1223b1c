"""Processor time of twenty stdio servers whose agents all wait for a message."""

from __future__ import annotations

import time

from bench.figures import Figure, Options
from bench.ground import Ground
from bench.server import Server, compile_bytecode

SERVERS = 20
SETTLE_S = 2


def measure(options: Options) -> list[Figure]:
    """Bar: together at most 3 % of one core."""
    compile_bytecode()
    seconds = options.size(50, 10)
    with Ground(options.folder) as ground:
        servers = [Server(ground.path, f"agent-{number}") for number in range(SERVERS)]
        for server in servers:
            server.greet()
            server.call("macp_poll")
        for server in servers:
            server.start_call("macp_poll", waitMs=60_000)
        time.sleep(SETTLE_S)
        before, start = sum(server.processor_s() for server in servers), time.perf_counter()
        time.sleep(seconds)
        used = sum(server.processor_s() for server in servers) - before
        share = used / (time.perf_counter() - start)
        for server in servers:
            server.close()
    beside = {"processor time": f"{used:.2f} s in {seconds} s"}
    return [Figure("20 idle waiting servers, together", share * 100, " % of a core", "at most", 3, beside)]
