"""Twenty processes at an agent's pace and more: each sends, polls and acknowledges five times a second."""

from __future__ import annotations

from bench.crowd import Crowd
from bench.figures import Figure, Options, percentile, short
from bench.ground import DURABILITIES, Ground

PROCESSES = 20
PACE = 5


def measure(options: Options) -> list[Figure]:
    """Bars: every round is done; 99 of 100 rounds take at most 25 ms."""
    figures = []
    seconds = options.size(60, 6)
    for durability in DURABILITIES:
        with Ground(options.folder, durability) as ground, Crowd(ground, PROCESSES) as crowd:
            told = crowd.work(seconds, PACE)
            account = crowd.settle()
        rounds = [value for member in told for value in member["rounds"]]
        waits = [value for member in told for value in member["waits"]]
        missing = seconds * PACE * PROCESSES - len(rounds)
        beside = {"p50": f"{short(percentile(rounds, 50))} ms", "worst": f"{short(max(rounds))} ms"}
        beside["single operations"] = f"p50 {short(percentile(waits, 50))}, p99 {short(percentile(waits, 99))} ms"
        figures += [
            Figure(
                f"20 processes paced, p99 of a round of send, poll and ack ({durability})",
                percentile(rounds, 99),
                " ms",
                "at most",
                25,
                beside,
            ),
            Figure(
                f"20 processes paced, lost rounds and mistakes ({durability})",
                missing + sum(account),
                "",
                "at most",
                0,
                {"rounds": short(len(rounds)), "counted": account.as_text()},
            ),
        ]
    return figures
