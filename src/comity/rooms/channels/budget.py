"""Which pending deliveries fit into a poll's byte budget (MACP v1.0 section 2.8). Pure.

Deliveries are taken in priority order, as many at a time as may be returned. Interrupts always fit. Of the others,
those with the highest utility that fit are included; a pruned one gives its place to the next in order, so that what
does not fit hides nothing behind it. A delivery larger than the whole budget is shown as an excerpt.
"""

from __future__ import annotations

from collections.abc import Collection

from comity.kernel.clock import Instant
from comity.kernel.named_tuple import NamedTuple
from comity.rooms.channels.model import Delivery

INTERRUPT = 3
EXCERPT_BYTES = 512
_EXCERPT_LEAST_BYTES = 64


class Candidate(NamedTuple):
    """A pending delivery, still without its content, and the time it was sent (milliseconds since 1970)."""

    delivery: Delivery
    sent_ms: int


class Selection(NamedTuple):
    """What fits: whole deliveries in output order, excerpts with their size in bytes, and what was pruned."""

    whole: list[Delivery]
    excerpts: list[tuple[Delivery, int]]
    pruned: list[Delivery]


def utility(candidate: Candidate, tags: frozenset[str], now: Instant) -> float:
    """0.7 of priority, 0.2 of shared tags and 0.1 of freshness, each from 0 to 1."""
    delivery = candidate.delivery
    elapsed = max(0.0, (now.ms - candidate.sent_ms) / 1000)
    freshness = max(0.0, 1.0 - elapsed / delivery.ttl_seconds)
    relevance = _shared(frozenset(delivery.context.relevance_tags), tags)
    return 0.7 * (delivery.priority / 3.0) + 0.2 * relevance + 0.1 * freshness


def _shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Jaccard similarity; two empty sets are alike."""
    if not one and not other:
        return 1.0
    return len(one & other) / len(one | other)


def select(candidates: list[Candidate], count: int, budget: int, tags: Collection[str], now: Instant) -> Selection:
    """At most ``count`` of ``candidates`` (in priority order) within ``budget`` bytes."""
    oversize: list[Candidate] = []
    regular: list[Candidate] = []
    for c in candidates:
        (oversize if _cost(c) > budget and c.delivery.priority < INTERRUPT else regular).append(c)
    places = min(len(oversize), count // 2)
    if not regular and oversize:
        places = max(1, places)
    wanted = frozenset(tags)
    whole: list[Delivery] = []
    pruned = [c.delivery for c in oversize]
    remaining = budget
    index = 0
    while len(whole) < count - places and index < len(regular):
        window = regular[index : index + count - places - len(whole)]
        index += len(window)
        remaining = _fit(window, remaining, wanted, now, whole, pruned)
    ranked = sorted(oversize, key=lambda c: c.delivery.state != "queued")[:places]
    size = max(_EXCERPT_LEAST_BYTES, min(EXCERPT_BYTES, remaining // max(1, places)))
    return Selection(whole, [(c.delivery, size) for c in ranked], pruned)


def _cost(candidate: Candidate) -> int:
    return candidate.delivery.context.payload_byte_size


def _fit(
    window: list[Candidate],
    remaining: int,
    tags: frozenset[str],
    now: Instant,
    whole: list[Delivery],
    pruned: list[Delivery],
) -> int:
    """Sort one window into ``whole`` and ``pruned``; the bytes that remain."""
    others = []
    for candidate in window:
        if candidate.delivery.priority == INTERRUPT:
            whole.append(candidate.delivery)
            remaining -= _cost(candidate)
        else:
            others.append(candidate)
    others.sort(key=lambda c: (-utility(c, tags, now), -c.delivery.priority, c.delivery.sequence_number))
    for candidate in others:
        if _cost(candidate) <= remaining:
            whole.append(candidate.delivery)
            remaining -= _cost(candidate)
        else:
            pruned.append(candidate.delivery)
    return remaining
