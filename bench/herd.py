"""Twenty stdio servers that start at once on a file that does not exist yet."""

from __future__ import annotations

import os
import time

from bench.figures import Figure, Options
from bench.ground import Ground
from bench.server import Server, compile_bytecode

SERVERS = 20


def measure(options: Options) -> list[Figure]:
    """Bar: all answer a tool call and end with 0."""
    compile_bytecode()
    silent, slowest_s, times = 0, 0.0, options.size(5, 2)
    for _ in range(times):
        with Ground(options.folder) as ground:
            start = time.perf_counter()
            servers = [Server(os.path.join(ground.folder, "new", "x.db"), f"agent-{n}") for n in range(SERVERS)]
            for server in servers:
                server.greet()
            calls = [(server, server.start_call("macp_poll")) for server in servers]
            silent += sum(not _answers(server, call) for server, call in calls)
            slowest_s = max(slowest_s, time.perf_counter() - start)
            for server in servers:
                server.close()
            silent += sum(server.process.returncode != 0 for server in servers)
    beside = {"started": f"{times} times {SERVERS}", "until the last answered": f"at most {slowest_s:.1f} s"}
    return [Figure("20 servers at once on a fresh file, without answer or crashed", silent, "", "at most", 0, beside)]


def _answers(server: Server, call: int) -> bool:
    try:
        return not server.receive(call).get("isError")
    except AssertionError:
        return False
