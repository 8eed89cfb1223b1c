"""The account of the messages: none lost, none doubled. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from comity.demo.board import Reaped
from comity.demo.cast import PRIORITIES, Priority
from comity.kernel.named_tuple import NamedTuple


class Delivered(NamedTuple):
    """One delivery as the file has it. Times are milliseconds since 1970, None when it never happened."""

    delivery_id: str
    message_id: str
    recipient: str
    priority: Priority
    state: str
    sequence: int
    sent_ms: int
    received_ms: int | None
    acknowledged_ms: int | None


class Latency(NamedTuple):
    """Percentiles in milliseconds (nearest rank); all 0 when there is nothing to measure."""

    measured: int
    p50: int
    p90: int
    p99: int
    max: int


class Mail(NamedTuple):
    """Messages and what became of their deliveries. ``received_ms`` leaves out what was sent to agents that died."""

    messages: int
    deliveries: int
    received: int
    acknowledged: int
    waiting: int
    lost: int
    doubled: int
    received_ms: Latency
    interrupt: int
    steering: int
    advisory: int
    info: int


class Check(NamedTuple):
    """Something that must hold, and what was seen."""

    name: str
    ok: bool
    seen: str


def settle(
    deliveries: Sequence[Delivered],
    sends: Sequence[str],
    acks: Sequence[str],
    ends: Sequence[str],
    told_sent: set[str],
    told_acknowledged: set[str],
    reaped: Sequence[Reaped],
) -> Mail:
    """The account; ``told_sent`` and ``told_acknowledged`` are the delivery ids that servers confirmed to agents."""
    known = {one.delivery_id: one for one in deliveries}
    sent, acked, ended = set(sends) | told_sent, set(acks), set(ends)
    lost = {delivery_id for delivery_id in sent if not _accounted(known.get(delivery_id), acked, ended)}
    lost |= told_acknowledged - acked
    states = Counter(one.state for one in deliveries)
    priorities = Counter(one.priority for one in deliveries)
    dead = {one.agent_id for one in reaped}
    prompt = [one.received_ms - one.sent_ms for one in deliveries if one.received_ms and one.recipient not in dead]
    return Mail(
        len({one.message_id for one in deliveries}),
        len(sent),
        sum(one.received_ms is not None for one in deliveries),
        len(acked),
        states["queued"] + states["surfaced"],
        len(lost),
        _doubled(deliveries, acks),
        latency(prompt),
        *(priorities[priority] for priority in PRIORITIES),
    )


def checks(
    account: Mail,
    deliveries: Sequence[Delivered],
    sends: Sequence[str],
    acks: Sequence[str],
    told_sent: set[str],
    told_acknowledged: set[str],
) -> list[Check]:
    """What must hold for the messages."""
    known = {one.delivery_id for one in deliveries}
    numbers: dict[str, list[int]] = {}
    for one in deliveries:
        numbers.setdefault(one.recipient, []).append(one.sequence)
    gaps = [who for who, have in numbers.items() if sorted(have) != list(range(1, len(have) + 1))]
    odd = known.symmetric_difference(sends)
    unknown = (told_sent - known) | (told_acknowledged - set(acks))
    lost = account.lost + account.doubled + account.waiting
    return [
        Check(
            "No message is lost, doubled or left waiting",
            lost == 0,
            f"{account.lost} lost, {account.doubled} doubled, {account.waiting} waiting of {account.deliveries}",
        ),
        Check(
            "Log, queues and what agents were told agree",
            not (odd or gaps or unknown),
            f"{len(odd)} rows differ, {len(gaps)} queues have gaps, {len(unknown)} confirmed and not there",
        ),
    ]


def waited(deliveries: Iterable[Delivered], agent_id: str, back_ms: int | None) -> int:
    """How many deliveries were sent to an agent, and not acknowledged, before it came back."""
    return sum(
        one.recipient == agent_id
        and one.acknowledged_ms is not None
        and back_ms is not None
        and one.sent_ms < back_ms <= one.acknowledged_ms
        for one in deliveries
    )


def latency(values_ms: Iterable[int]) -> Latency:
    """The percentiles of some values."""
    values = sorted(values_ms)
    if not values:
        return Latency(0, 0, 0, 0, 0)
    p50, p90, p99 = (values[-(-len(values) * part // 100) - 1] for part in (50, 90, 99))
    return Latency(len(values), p50, p90, p99, values[-1])


def _accounted(delivery: Delivered | None, acks: set[str], ends: set[str]) -> bool:
    """Whether a delivery that was sent is acknowledged, waits, or ended with an audit row that says so."""
    if delivery is None:
        return False
    if delivery.state == "acknowledged":
        return delivery.acknowledged_ms is not None and delivery.delivery_id in acks
    return delivery.state in ("queued", "surfaced") or delivery.delivery_id in ends


def _doubled(deliveries: Sequence[Delivered], acks: Sequence[str]) -> int:
    """Acknowledgements and deliveries beyond the one that each message may have for each recipient."""
    pairs = Counter((one.message_id, one.recipient) for one in deliveries)
    return len(acks) - len(set(acks)) + sum(count - 1 for count in pairs.values())
