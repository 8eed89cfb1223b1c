"""A commit in another process until a listener at the server's event stream has read it."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.figures import Figure, Options, median, percentile, short
from bench.ground import CONTENT, Ground
from bench.served import Ear, Served
from bench.server import compile_bytecode

PAUSE_S = 0.03


def measure(options: Options) -> list[Figure]:
    """Bars: half of all within 10 ms, 99 of 100 within 60 ms, from before the send until the event is read."""
    compile_bytecode()
    beside = {"python -c pass": f"{short(_start_ms())} ms"}
    with (
        Ground(options.folder) as ground,
        ground.agent("sender") as sender,
        ground.agent("reader"),
        Served(ground.path, ground.folder) as served,
    ):
        ear = Ear(served.port)
        ear.wait_for(b"event: ready")
        taken = []
        for _ in range(options.size(1000, 100)):
            time.sleep(PAUSE_S)
            start = time.perf_counter()
            sent = sender.message.send(destination_agent_id="reader", content=CONTENT)
            ear.wait_for(sent.message_id.encode())
            taken.append((time.perf_counter() - start) * 1e3)
            if len(taken) % 100 == 0:
                _settle(ground)
        ear.close()
    what = "commit in another process to a listener at /api/v1/events"
    return [
        Figure(f"{what}, p50", percentile(taken, 50), " ms", "at most", 10, beside),
        Figure(f"{what}, p99", percentile(taken, 99), " ms", "at most", 60, {"worst": f"{short(max(taken))} ms"}),
    ]


def _settle(ground: Ground) -> None:
    """The reader's queue is emptied, so that it never overflows."""
    with ground.agent("reader") as reader:
        for delivery in reader.message.poll().deliveries:
            reader.message.ack(delivery_id=delivery.delivery_id)


def _start_ms() -> float:
    taken = []
    for _ in range(9):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        taken.append((time.perf_counter() - start) * 1e3)
    return median(taken)
