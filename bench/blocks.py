"""Comparing two ways of doing the same, block by block in turn, on one file."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.figures import Figure, median, short

Work = Callable[[], object]
Prepare = Callable[[int], Sequence[Work]]


class Pair(NamedTuple):
    """Two ways of doing the same. Each gets a number of pieces and makes that many; making them is not timed.

    ``clean`` runs after every block, not timed: it brings the file back to where the next block may begin.
    """

    comity: Prepare
    bare: Prepare
    clean: Work


def compare(what: str, pair: Pair, rounds: int, block: int, bar: float) -> Figure:
    """How near Comity comes to the bare rows: bare time by Comity's, the median of all rounds."""
    for prepare in (pair.bare, pair.comity):
        _run(prepare, block, pair.clean)
    ratios: list[float] = []
    times: dict[str, list[float]] = {"comity": [], "bare": []}
    for number in range(rounds):
        first, second = ("comity", "bare") if number % 2 else ("bare", "comity")
        for name in (first, second):
            times[name].append(_run(getattr(pair, name), block, pair.clean))
        ratios.append(times["bare"][-1] / times["comity"][-1])
    beside = {name: f"{short(median(taken) / block * 1e6)} µs" for name, taken in times.items()}
    beside["rounds"] = f"{rounds} of {block}, from {short(min(ratios))} to {short(max(ratios))}"
    return Figure(what, median(ratios), " of bare", "at least", bar, beside)


def _run(prepare: Prepare, block: int, clean: Work) -> float:
    work = prepare(block)
    gc.collect()
    start = time.perf_counter()
    for piece in work:
        piece()
    taken = time.perf_counter() - start
    clean()
    return taken
