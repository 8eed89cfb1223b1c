"""The digest: new deliveries for an agent's context, within a budget, each given once.

A digest leases its deliveries. Once it is written out they are surfaced; a lease that runs out first means that the
hook died, and the deliveries come again. What the model has seen whole is acknowledged (``injections``), so that
read mail fills no queue. What was cut, and what wants a real acknowledgement, stays and is reminded of now and then.
What the agent has polled by itself is not told again.
"""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact
from comity.rooms.channels import poll
from comity.rooms.channels.budget import INTERRUPT, Candidate, utility
from comity.rooms.channels.deliveries import is_notice, speaks_alone
from comity.rooms.channels.model import Delivery
from comity.rooms.turns.message_lines import CLOSE, OPEN, Line, line, tokens
from comity.rooms.turns.model import LEASE_MS, REMIND_MS, Digest

_STEERING = 2
_URGENT_TOKENS = 1000  # of one interrupt
_ALL_URGENT_TOKENS = 2000  # of all interrupts in one digest; others of them are cut
_FOOTER_TOKENS = 14
_LEAST_TOKENS = 22  # of a line that is worth its place
_MOST_LINES = 12


class Told(NamedTuple):
    """What is known of a pending delivery that was injected, polled, or leased."""

    leased: bool
    written: bool
    asked_ms: int | None
    at_stop: bool

    @property
    def again(self) -> bool:
        """Whether whoever leased it died before it was written."""
        return not (self.leased or self.written or self.asked_ms is not None)


class _Pending(NamedTuple):
    """Readable pending deliveries, and what is known of those that are known at all."""

    found: list[Candidate]
    told: dict[str, Told]


def digest(scope: Scope, budget_tokens: int) -> Digest:
    """What is new for the actor, leased; an empty digest when that is nothing."""
    pending = _pending(scope, 0)
    reminder = _reminder(scope, pending)
    fresh = _by_utility(scope, [one for one in pending.found if _is_new(one, pending.told)])
    room = budget_tokens - tokens(OPEN) - tokens(CLOSE) - sum(map(tokens, reminder)) - _FOOTER_TOKENS
    lines = _lines(scope, fresh, room)
    if not lines and not reminder:
        return Digest(waiting=len(pending.found))
    return _digest(scope, lines, reminder, len(fresh) - len(lines), len(pending.found))


def at_stop(scope: Scope) -> Digest:
    """Interrupts that the agent has not dealt with, each once, for an agent that is about to stop."""
    pending = _pending(scope, INTERRUPT)
    due = [one for one in pending.found if _keeps_going(pending.told.get(one.delivery.delivery_id))]
    lines = _lines(scope, _by_utility(scope, due), 0)
    if not lines:
        return Digest(waiting=len(pending.found))
    ids = [delivery.delivery_id for delivery, _ in lines]
    new = [pair for pair, key in zip(lines, ids, strict=True) if key not in pending.told or pending.told[key].again]
    scope.tx.run("turns.asked_at_stop", delivery_ids=compact(ids))
    return _digest(scope, lines, [], len(due) - len(lines), len(pending.found), leased=new, stop=True)


def _is_new(candidate: Candidate, told: dict[str, Told]) -> bool:
    known = told.get(candidate.delivery.delivery_id)
    return candidate.delivery.state == "queued" if known is None else known.again


def _keeps_going(known: Told | None) -> bool:
    return known is None or known.again or not (known.leased or known.at_stop)


def _pending(scope: Scope, min_priority: int) -> _Pending:
    """What waits, after the overdue has expired; what the agent polled by itself is known from now on."""
    events: list[Event] = []
    poll.expire(scope, events)
    found, _ = poll.candidates(scope, min_priority, events)
    scope.emit(*events)
    ids = compact([candidate.delivery.delivery_id for candidate in found])
    rows = scope.tx.all("turns.told", now_ms=scope.now.ms, delivery_ids=ids) if found else []
    told = {str(row[0]): _told(row) for row in rows}
    for candidate in found:
        key = candidate.delivery.delivery_id
        if candidate.delivery.state == "surfaced" and key not in told:
            scope.tx.run("turns.polled", delivery_id=key, agent_id=scope.actor.agent_id, now_ms=scope.now.ms)
            told[key] = Told(leased=False, written=False, asked_ms=scope.now.ms, at_stop=False)
    return _Pending(found, told)


def _told(row: Row) -> Told:
    return Told(bool(row[1]), bool(row[2]), row[3] if isinstance(row[3], int) else None, bool(row[4]))


def _by_utility(scope: Scope, found: list[Candidate]) -> list[Candidate]:
    """Interrupts first, then the others by utility."""
    tags = frozenset(scope.actor.interest_tags)
    return sorted(found, key=lambda one: (one.delivery.priority < INTERRUPT, -utility(one, tags, scope.now)))


def _lines(scope: Scope, fresh: list[Candidate], room: int) -> list[tuple[Delivery, Line]]:
    """Interrupts whole, then the others as long as there is room, of which later steering ones get their share."""
    urgent_room = _ALL_URGENT_TOKENS
    texts = poll.contents(scope, [c.delivery.delivery_id for c in fresh[:_MOST_LINES] if not c.delivery.content])
    sure = any(is_notice(one.delivery) for one in fresh[:_MOST_LINES]) and speaks_alone(scope)
    lines: list[tuple[Delivery, Line]] = []
    for place, candidate in enumerate(fresh[:_MOST_LINES], 1):
        delivery = candidate.delivery
        if not delivery.content:
            delivery = delivery._replace(content=texts.get(delivery.delivery_id, ""))
        if delivery.priority == INTERRUPT:
            told = line(delivery, max(min(_URGENT_TOKENS, urgent_room), _LEAST_TOKENS), sure=sure)
            urgent_room -= told.tokens
        elif room < _LEAST_TOKENS:
            break
        else:
            rest = sum(one.delivery.priority == _STEERING for one in fresh[place:])
            told = line(delivery, max(room - rest * _LEAST_TOKENS, _LEAST_TOKENS), sure=sure)
        if told.tokens > room and lines and delivery.priority < INTERRUPT:
            break
        room -= told.tokens
        lines.append((delivery, told))
    return lines


def _digest(
    scope: Scope,
    lines: list[tuple[Delivery, Line]],
    reminder: list[str],
    left: int,
    waiting: int,
    leased: list[tuple[Delivery, Line]] | None = None,
    *,
    stop: bool = False,
) -> Digest:
    """The text, and a lease on what is in it."""
    leased = lines if leased is None else leased
    injection_id = scope.new_id() if leased else ""
    for delivery, told in leased:
        scope.tx.run(
            "turns.lease",
            delivery_id=delivery.delivery_id,
            agent_id=scope.actor.agent_id,
            injection_id=injection_id,
            whole=int(told.whole),
            leased_until_ms=scope.now.ms + LEASE_MS,
            at_stop=int(stop),
        )
    cut = sum(not told.whole for _, told in lines)
    counts = [f"{cut} cut"] * bool(cut) + [f"{left} more"] * bool(left)
    more = [f"- {', '.join(counts)}: `message.poll`"] if counts else []
    text = "\n".join([OPEN, *(told.text for _, told in lines), *reminder, *more, CLOSE])
    return Digest(text, injection_id, [delivery.delivery_id for delivery, _ in lines], waiting)


def _reminder(scope: Scope, pending: _Pending) -> list[str]:
    """A line about deliveries that still wait for the agent, when the last reminder of them is old."""
    now_ms = scope.now.ms
    due = [
        key for key, told in pending.told.items() if told.asked_ms is not None and now_ms - told.asked_ms >= REMIND_MS
    ]
    if not due:
        return []
    scope.tx.run("turns.reminded", delivery_ids=compact(due), now_ms=now_ms)
    return [f"- {len(due)} of earlier still not acknowledged: `message.poll`, `message.ack`"]
