"""What the account of a performance holds, and the arithmetic: pure, from rows to a report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from comity.demo.cast import PRIORITIES, Priority

BUCKETS_MS = (1, 2, 5, 10, 20, 50, 100)


class Delivered(NamedTuple):
    """One delivery as the file has it. Times are milliseconds since 1970, None when it never happened."""

    delivery_id: str
    message_id: str
    sender: str
    recipient: str
    priority: Priority
    state: str
    sequence: int
    size_bytes: int
    sent_ms: int
    received_ms: int | None
    acknowledged_ms: int | None


class Rows(NamedTuple):
    """Everything that the account is made of.

    ``sends``, ``acks`` and ``ends`` are the audit log's delivery ids of ``message.send``, of ``message.ack``, and of
    ``message.expire``, ``message.drop`` and ``message.malformed``; ``registrations`` are agents and times.
    """

    deliveries: list[Delivered]
    sends: list[str]
    acks: list[str]
    ends: list[str]
    registrations: list[tuple[str, int]]
    integrity: str


class Latency(NamedTuple):
    """Percentiles in milliseconds (nearest rank); all 0 when there is nothing to measure."""

    measured: int
    p50: int
    p90: int
    p99: int
    max: int


class Share(NamedTuple):
    """A part of the traffic: one priority, or what one agent was sent."""

    name: str
    messages: int
    deliveries: int
    received: int
    acknowledged: int
    received_ms: Latency
    acknowledged_ms: Latency


class Bucket(NamedTuple):
    """Deliveries received within ``le_ms`` milliseconds of their sending, and not within the bucket before."""

    le_ms: int | None
    deliveries: int


class Recovery(NamedTuple):
    """The agent that registered a second time, and what had waited for it."""

    agent_id: str
    registrations: int
    waited: int
    longest_wait_ms: int
    caught_up_ms: int


class Check(NamedTuple):
    """Something that must hold, and what was seen."""

    name: str
    ok: bool
    seen: str


class Account(NamedTuple):
    """The whole account of what the file says."""

    messages: int
    deliveries: int
    received: int
    acknowledged: int
    pending: int
    expired: int
    dropped: int
    lost: int
    doubled: int
    received_ms: Latency
    acknowledged_ms: Latency
    priorities: list[Share]
    agents: list[Share]
    histogram: list[Bucket]
    recoveries: list[Recovery]
    checks: list[Check]


def settle(rows: Rows, told_sent: set[str], told_acknowledged: set[str], agents: Sequence[str]) -> Account:
    """The account; ``told_sent`` and ``told_acknowledged`` are the delivery ids that servers confirmed to agents."""
    known = {one.delivery_id: one for one in rows.deliveries}
    sent, acks, ends = set(rows.sends) | told_sent, set(rows.acks), set(rows.ends)
    lost = {delivery_id for delivery_id in sent if not _accounted(known.get(delivery_id), acks, ends)}
    lost |= told_acknowledged - acks
    states = Counter(one.state for one in rows.deliveries)
    again = _registered_again(rows)
    prompt = [one for one in rows.deliveries if not _waited(one, one.received_ms, again)]
    received = [one.received_ms - one.sent_ms for one in prompt if one.received_ms is not None]
    return Account(
        messages=len({one.message_id for one in rows.deliveries}),
        deliveries=len(sent),
        received=sum(one.received_ms is not None for one in rows.deliveries),
        acknowledged=len(acks),
        pending=states["queued"] + states["surfaced"],
        expired=states["expired"],
        dropped=states["dropped"],
        lost=len(lost),
        doubled=_doubled(rows),
        received_ms=latency(received),
        acknowledged_ms=_acknowledged(rows.deliveries, again),
        priorities=[_share(p, [one for one in rows.deliveries if one.priority == p], again) for p in PRIORITIES],
        agents=[_share(a, [one for one in rows.deliveries if one.recipient == a], again, rows) for a in agents],
        histogram=_histogram(received),
        recoveries=[_recovery(agent, times, rows) for agent, times in again.items()],
        checks=_checks(rows, told_sent, told_acknowledged, states),
    )


def latency(values_ms: Iterable[int]) -> Latency:
    """The percentiles of some values."""
    values = sorted(values_ms)
    if not values:
        return Latency(0, 0, 0, 0, 0)
    p50, p90, p99 = (values[-(-len(values) * part // 100) - 1] for part in (50, 90, 99))
    return Latency(len(values), p50, p90, p99, values[-1])


def _accounted(delivery: Delivered | None, acks: set[str], ends: set[str]) -> bool:
    """Whether a delivery that was sent is acknowledged, waits, or ended with an audit row that says how."""
    if delivery is None:
        return False
    if delivery.state == "acknowledged":
        return delivery.acknowledged_ms is not None and delivery.delivery_id in acks
    return delivery.state in ("queued", "surfaced") or delivery.delivery_id in ends


def _doubled(rows: Rows) -> int:
    """Acknowledgements and deliveries beyond the one that each message may have for each recipient."""
    acks = len(rows.acks) - len(set(rows.acks))
    pairs = Counter((one.message_id, one.recipient) for one in rows.deliveries)
    return acks + sum(count - 1 for count in pairs.values())


def _registered_again(rows: Rows) -> dict[str, list[int]]:
    """By agent, the times of every registration after its first."""
    times: dict[str, list[int]] = {}
    for agent, at_ms in sorted(rows.registrations, key=lambda row: row[1]):
        times.setdefault(agent, []).append(at_ms)
    return {agent: later[1:] for agent, later in times.items() if len(later) > 1}


def _waited(delivery: Delivered, until_ms: int | None, again: dict[str, list[int]]) -> bool:
    """Whether the recipient's server died, and came back, between the sending and this time."""
    end = delivery.sent_ms if until_ms is None else until_ms
    return any(delivery.sent_ms < at_ms <= end for at_ms in again.get(delivery.recipient, ()))


def _acknowledged(deliveries: list[Delivered], again: dict[str, list[int]]) -> Latency:
    return latency(
        one.acknowledged_ms - one.sent_ms
        for one in deliveries
        if one.acknowledged_ms is not None and not _waited(one, one.acknowledged_ms, again)
    )


def _share(name: str, part: list[Delivered], again: dict[str, list[int]], rows: Rows | None = None) -> Share:
    """``rows`` are given for an agent: then the messages are those that it sent."""
    messages = part if rows is None else [one for one in rows.deliveries if one.sender == name]
    return Share(
        name,
        len({one.message_id for one in messages}),
        len(part),
        sum(one.received_ms is not None for one in part),
        sum(one.state == "acknowledged" for one in part),
        latency(
            one.received_ms - one.sent_ms
            for one in part
            if one.received_ms is not None and not _waited(one, one.received_ms, again)
        ),
        _acknowledged(part, again),
    )


def _histogram(values_ms: list[int]) -> list[Bucket]:
    counts = Counter(next((most for most in BUCKETS_MS if value <= most), None) for value in values_ms)
    return [Bucket(most, counts[most]) for most in (*BUCKETS_MS, None)]


def _recovery(agent: str, times: list[int], rows: Rows) -> Recovery:
    back_ms = times[-1]
    waited = [
        one
        for one in rows.deliveries
        if one.recipient == agent and one.acknowledged_ms is not None and one.sent_ms < back_ms <= one.acknowledged_ms
    ]
    return Recovery(
        agent,
        len(times) + 1,
        len(waited),
        max((back_ms - one.sent_ms for one in waited), default=0),
        max((one.acknowledged_ms - back_ms for one in waited if one.acknowledged_ms is not None), default=0),
    )


def _checks(rows: Rows, told_sent: set[str], told_acknowledged: set[str], states: Counter[str]) -> list[Check]:
    known = {one.delivery_id for one in rows.deliveries}
    numbers: dict[str, list[int]] = {}
    for one in rows.deliveries:
        numbers.setdefault(one.recipient, []).append(one.sequence)
    gaps = [who for who, have in numbers.items() if sorted(have) != list(range(1, len(have) + 1))]
    odd = known.symmetric_difference(rows.sends)
    waiting = states["queued"] + states["surfaced"]
    unknown = (told_sent - known) | (told_acknowledged - set(rows.acks))
    # A server that is killed after its commit and before its answer leaves work that no agent was told of.
    untold = (len(known) - len(told_sent)) + (len(set(rows.acks)) - len(told_acknowledged))
    return [
        Check("The file is sound", rows.integrity == "ok", rows.integrity),
        Check("Each delivery is in the audit log, and the other way round", not odd, f"{len(odd)} differ"),
        Check("Each recipient's sequence numbers run 1, 2, 3 and so on", not gaps, f"{len(gaps)} agents with gaps"),
        Check("Nothing is left waiting", waiting == 0, f"{waiting} wait"),
        Check(
            "All that servers confirmed to agents is in the file",
            not unknown,
            f"{len(told_sent)} sent, {len(told_acknowledged)} acknowledged; {len(unknown)} missing, {untold} untold",
        ),
    ]
