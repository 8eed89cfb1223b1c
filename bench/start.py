"""A stdio server from the start of its process to the answer of its first tool call."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.figures import Figure, Options, median, short
from bench.ground import Ground
from bench.server import Server, compile_bytecode


def measure(options: Options) -> list[Figure]:
    """Bar: at most 80 ms, the median; the file exists and its agents are registered anew."""
    compile_bytecode()
    with Ground(options.folder) as ground:
        ground.enrol(["agent"])
        taken_ms, bare_ms = [], []
        for _ in range(options.size(41, 9)):
            taken_ms.append(_first_answer_ms(ground.path))
            bare_ms.append(_interpreter_ms())
    beside = {
        "fastest and slowest": f"{short(min(taken_ms))} and {short(max(taken_ms))} ms",
        "python -c pass, in turn": f"{short(median(bare_ms))} ms",
    }
    return [Figure("stdio server, start to first tool answer", median(taken_ms), " ms", "at most", 80, beside)]


def _first_answer_ms(path: str) -> float:
    start = time.perf_counter()
    with Server(path, "agent") as server:
        server.greet()
        server.call("macp_poll")
        return (time.perf_counter() - start) * 1e3


def _interpreter_ms() -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (time.perf_counter() - start) * 1e3
