"""Figures: what was measured, the bar it has to meet, and how both are written down."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple


class Options(NamedTuple):
    """How to measure. ``quick`` takes a tenth of the time and proves nothing; ``folder`` is where the files lie."""

    quick: bool = False
    folder: str | None = None

    def size(self, full: int, quick: int) -> int:
        """``full``, or ``quick`` when in a hurry."""
        return quick if self.quick else full


class Figure(NamedTuple):
    """One measured value, on which side of ``bar`` it has to be, and figures beside it that have no bar."""

    what: str
    value: float
    unit: str
    sense: Literal["at least", "at most"]
    bar: float
    beside: dict[str, str] = {}

    @property
    def met(self) -> bool:
        """Whether the bar is met."""
        return self.value >= self.bar if self.sense == "at least" else self.value <= self.bar

    def as_dict(self) -> dict[str, object]:
        """For ``--json``."""
        return {**self._asdict(), "met": self.met}


def median(values: Iterable[float]) -> float:
    """The middle value; the mean of the middle two."""
    ranked = sorted(values)
    half = len(ranked) // 2
    return ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2


def percentile(values: Iterable[float], percent: float) -> float:
    """The smallest value that ``percent`` of all do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, max(0, math.ceil(len(ranked) * percent / 100) - 1))]


def short(value: float) -> str:
    """Three digits that count, thousands apart."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def lines(figures: Sequence[Figure]) -> list[str]:
    """For people at a terminal."""
    return [
        f"{'met   ' if f.met else 'MISSED'} {f.what}: {short(f.value)}{f.unit} ({f.sense} {short(f.bar)}{f.unit})"
        + "".join(f"\n         {name}: {text}" for name, text in f.beside.items())
        for f in figures
    ]


def markdown(figures: Sequence[Figure]) -> list[str]:
    """Rows of the table in ``docs/benchmarks.md``."""
    sign = {"at least": "≥", "at most": "≤"}
    rows = ["| what | figure | bar | | beside |", "|---|---|---|---|---|"]
    for f in figures:
        beside = "; ".join(f"{name} {text}" for name, text in f.beside.items())
        verdict = "met" if f.met else "**missed**"
        rows.append(
            f"| {f.what} | {short(f.value)}{f.unit} | {sign[f.sense]} {short(f.bar)}{f.unit} | {verdict} | {beside} |"
        )
    return rows
