"""A poll of ten pending deliveries, handed out for the first time, against its bare reads and rows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import comity
from bench import bare
from bench.blocks import Pair, Work
from bench.figures import Figure, Options
from bench.stage import PEOPLE, Stage, against_bare
from comity.kernel.clock import SystemClock

PENDING = 10


def measure(options: Options) -> list[Figure]:
    """Bar: at least 0.5 of bare."""
    rounds = options.size(61, 7)
    return against_bare("poll of 10 pending", options, pair, rounds=rounds, block=len(PEOPLE), bar=0.5)


def pair(stage: Stage) -> Pair:
    """Comity's poll and the bare one: everybody's ten, once."""

    def ours(count: int) -> Sequence[Work]:
        return [partial(polled, person) for person, _ in stage.fill(PENDING)[:count]]

    def theirs(count: int) -> Sequence[Work]:
        return [partial(bare.poll, stage.cursor, *rows(*waiting)) for waiting in stage.fill(PENDING)[:count]]

    return Pair(ours, theirs, stage.settle)


def polled(person: comity.Workspace) -> None:
    """One poll that finds ten."""
    assert len(person.message.poll(max_messages=PENDING).deliveries) == PENDING


def rows(person: comity.Workspace, delivery_ids: list[str]) -> tuple[str, str, list[bare.Values], list[bare.Values]]:
    """What the bare poll binds."""
    now = SystemClock().now().iso
    surfaced: list[bare.Values] = [(delivery_id,) for delivery_id in delivery_ids]
    received: list[bare.Values] = [(delivery_id, "received", now) for delivery_id in delivery_ids]
    return person.actor.agent_id, person.actor.session_id, surfaced, received
