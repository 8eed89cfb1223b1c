"""An acknowledgement, against its bare rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from bench import bare
from bench.blocks import Pair, Work
from bench.figures import Figure, Options
from bench.stage import PEOPLE, Stage, against_bare
from comity.kernel.clock import SystemClock

EACH = 20


def measure(options: Options) -> list[Figure]:
    """Bar: at least 0.65 of bare."""
    rounds = options.size(31, 5)
    return against_bare("ack", options, pair, rounds=rounds, block=len(PEOPLE) * EACH, bar=0.65)


def pair(stage: Stage) -> Pair:
    """Comity's ack and the bare one: everybody's deliveries, one by one."""

    def ours(count: int) -> Sequence[Work]:
        return [
            partial(person.message.ack, delivery_id=delivery_id)
            for person, delivery_ids in stage.fill(EACH)
            for delivery_id in delivery_ids
        ][:count]

    def theirs(count: int) -> Sequence[Work]:
        now = SystemClock().now().iso
        return [
            partial(
                bare.ack,
                stage.cursor,
                (delivery_id,),
                (delivery_id, "processed", now),
                ("message.ack", delivery_id, delivery_id, person.actor.agent_id, None, now),
            )
            for person, delivery_ids in stage.fill(EACH)
            for delivery_id in delivery_ids
        ][:count]

    return Pair(ours, theirs, stage.settle)
