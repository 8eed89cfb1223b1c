"""A message to a channel of twenty others, against its bare rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bench import bare
from bench.blocks import Pair, Work
from bench.figures import Figure, Options
from bench.ground import CHANNEL, CONTENT
from bench.stage import PEOPLE, Stage, against_bare


def measure(options: Options) -> list[Figure]:
    """Bar: at least 0.65 of bare."""
    rounds, block = options.size(31, 5), 50
    return against_bare("broadcast to 20", options, pair, rounds=rounds, block=block, bar=0.65)


def pair(stage: Stage) -> Pair:
    """Comity's broadcast and the bare one."""

    def ours(count: int) -> Sequence[Work]:
        return [partial(stage.sender.message.broadcast, content=CONTENT)] * count

    def theirs(count: int) -> Sequence[Work]:
        numbers = stage.numbers()
        sends = [bare.rows_of_send(PEOPLE, CHANNEL, numbers) for _ in range(count)]
        return [partial(bare.send, stage.cursor, rows) for rows in sends]

    return Pair(ours, theirs, stage.settle)
