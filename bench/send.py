"""A direct message, to one recipient after the other, against its bare rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bench import bare
from bench.blocks import Pair, Work
from bench.figures import Figure, Options
from bench.ground import CONTENT
from bench.stage import PEOPLE, Stage, against_bare


def measure(options: Options) -> list[Figure]:
    """Bar: at least 0.65 of bare."""
    rounds, block = options.size(31, 5), 400
    return against_bare("send to one", options, pair, rounds=rounds, block=block, bar=0.65)


def pair(stage: Stage) -> Pair:
    """Comity's send and the bare one."""

    def ours(count: int) -> Sequence[Work]:
        send = stage.sender.message.send
        return [partial(send, destination_agent_id=name, content=CONTENT) for name in _in_turn(count)]

    def theirs(count: int) -> Sequence[Work]:
        numbers = stage.numbers()
        return [partial(bare.send, stage.cursor, bare.rows_of_send([name], None, numbers)) for name in _in_turn(count)]

    return Pair(ours, theirs, stage.settle)


def _in_turn(count: int) -> list[str]:
    return [PEOPLE[number % len(PEOPLE)] for number in range(count)]
