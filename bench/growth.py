"""The same operations on an empty file and on one with half a million messages of history, in turn."""

from __future__ import annotations

import time
from collections.abc import Callable

from bench import ack, broadcast, history, poll, send
from bench.blocks import Pair
from bench.figures import Figure, Options, median, short
from bench.ground import Ground
from bench.stage import PEOPLE, Stage

MESSAGES = 500_000
_PARTS: tuple[tuple[str, Callable[[Stage], Pair], int], ...] = (
    ("send", send.pair, 200),
    ("broadcast to 20", broadcast.pair, 20),
    ("poll of 10 pending", poll.pair, len(PEOPLE)),
    ("ack", ack.pair, 200),
)


def measure(options: Options) -> list[Figure]:
    """Bar: medians with the history at most 1.3 of those without."""
    count = options.size(MESSAGES, 50_000)
    with Ground(options.folder) as small, Ground(options.folder) as large:
        for ground in (small, large):
            ground.agent("sender").close()
            ground.enrol(PEOPLE)
        start = time.perf_counter()
        history.write(large.path, count, PEOPLE)
        written_s = time.perf_counter() - start
        with Stage(small) as empty, Stage(large) as full:
            figures = []
            for name, pair, block in _PARTS:
                times = _times(pair(empty), pair(full), options.size(21, 5), block)
                beside = {"empty": f"{short(times[0])} µs", "with history": f"{short(times[1])} µs"}
                figures.append(
                    Figure(
                        f"{name}, {count:,} messages of history",
                        times[1] / times[0],
                        " of empty",
                        "at most",
                        1.3,
                        beside,
                    )
                )
    figures[0].beside["history"] = f"written in {written_s:.0f} s"
    return figures


def _times(empty: Pair, full: Pair, rounds: int, block: int) -> tuple[float, float]:
    """Medians of single operations, in microseconds."""
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for pair, taken in zip((empty, full), times, strict=True):
            for piece in pair.comity(block):
                start = time.perf_counter()
                piece()
                if number:  # the first round warms up
                    taken.append(time.perf_counter() - start)
            pair.clean()
    return median(times[0]) * 1e6, median(times[1]) * 1e6
