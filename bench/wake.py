"""A message to an agent that waits in another process, until its ``macp_poll`` has answered."""

from __future__ import annotations

import time

from bench.figures import Figure, Options, percentile, short
from bench.ground import CONTENT, DURABILITIES, Ground
from bench.server import Server, compile_bytecode

PAUSE_S = 0.03  # the waiter has gone to sleep by then


def measure(options: Options) -> list[Figure]:
    """Bars: half of all within 5 ms, 99 of 100 within 25 ms, from before the send until the answer is read."""
    compile_bytecode()
    figures = []
    for durability in DURABILITIES:
        taken = _milliseconds(options, durability)
        name = f"message to a waiting agent in another process ({durability})"
        beside = {"worst": f"{short(max(taken))} ms", "messages": str(len(taken))}
        figures += [
            Figure(f"{name}, p50", percentile(taken, 50), " ms", "at most", 5),
            Figure(f"{name}, p99", percentile(taken, 99), " ms", "at most", 25, beside),
        ]
    return figures


def _milliseconds(options: Options, durability: str) -> list[float]:
    taken = []
    with (
        Ground(options.folder, durability) as ground,
        ground.agent("sender") as sender,
        Server(ground.path, "waiter", durability) as server,
    ):
        server.greet()
        server.call("macp_poll")
        for _ in range(options.size(500, 50)):
            waiting = server.start_call("macp_poll", waitMs=30_000)
            time.sleep(PAUSE_S)
            start = time.perf_counter()
            sender.message.send(destination_agent_id="waiter", content=CONTENT)
            deliveries = server.receive(waiting)["structuredContent"]["deliveries"]
            taken.append((time.perf_counter() - start) * 1e3)
            server.call("macp_ack", deliveryId=deliveries[0]["deliveryId"])
    return taken
