"""Twenty processes flat out on one file: throughput against one process, fairness, and nothing lost or doubled."""

from __future__ import annotations

import os

from bench.crowd import Crowd
from bench.figures import Figure, Options, median, percentile, short
from bench.ground import DURABILITIES, Ground

PROCESSES = 20


def measure(options: Options) -> list[Figure]:
    """Bars: 0.6 of one process's operations a second; slowest 0.5 of the quickest; no wait above 300 ms; no mistake."""
    figures = []
    for durability in DURABILITIES:
        figures += _measure(options, durability)
    return figures


def _measure(options: Options, durability: str) -> list[Figure]:
    seconds = options.size(60, 6)
    alone = [_alone(options, durability)]
    with Ground(options.folder, durability) as ground, Crowd(ground, PROCESSES) as crowd:
        told = crowd.work(seconds)
        log_bytes = os.path.getsize(ground.path + "-wal")
        account = crowd.settle()
    alone.append(_alone(options, durability))
    total = sum(len(member["waits"]) / member["seconds"] for member in told)
    single = sum(alone) / len(alone)
    waits = [wait for member in told for wait in member["waits"]]
    rounds = sorted(len(member["rounds"]) for member in told)
    throughput = {
        "20 processes": f"{short(total)} operations/s",
        "one": f"{short(single)}/s ({', '.join(short(rate) for rate in alone)})",
        "log": f"{short(log_bytes / 2**20)} MiB",
    }
    quantiles = {f"p{percent}": f"{short(percentile(waits, percent))} ms" for percent in (50, 99, 99.9)}
    return [
        Figure(
            f"20 processes flat out, operations a second ({durability})",
            total / single,
            " of one process",
            "at least",
            0.6,
            throughput,
        ),
        Figure(
            f"20 processes flat out, slowest of quickest ({durability})",
            rounds[0] / rounds[-1],
            "",
            "at least",
            0.5,
            {"rounds": f"{short(rounds[0])} to {short(rounds[-1])}, median {short(median(rounds))}, in {seconds} s"},
        ),
        Figure(f"20 processes flat out, worst wait ({durability})", max(waits), " ms", "at most", 300, quantiles),
        Figure(
            f"20 processes flat out, mistakes ({durability})",
            sum(account),
            "",
            "at most",
            0,
            {"counted": account.as_text(), "operations": short(len(waits))},
        ),
    ]


def _alone(options: Options, durability: str) -> float:
    """Operations a second of one process that sends to itself."""
    with Ground(options.folder, durability) as ground, Crowd(ground, 1) as crowd:
        told = crowd.work(options.size(10, 3))[0]
        crowd.settle()
    return float(len(told["waits"]) / told["seconds"])
