"""The digest: new deliveries for an agent's context, within a budget, each given once.

A digest leases its deliveries. Once it is written out they are surfaced; a lease that runs out first means that the
hook died, and the deliveries come again. What the model has seen whole is acknowledged (``turns.seeing``), so that
read mail fills no queue. What was cut, and what wants a real acknowledgement, stays and is reminded of.
"""

from __future__ import annotations

from typing import NamedTuple

from comity.kernel.event import Event
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.channels import polling
from comity.rooms.channels.budget import INTERRUPT, Candidate, utility
from comity.rooms.channels.model import Delivery
from comity.rooms.turns.model import Digest
from comity.rooms.turns.quoting import CLOSE, OPEN, line, tokens

LEASE_MS = 60_000
REMIND_MS = 600_000
INTERRUPT_BYTES = 4000
_BYTES_PER_TOKEN = 3
_LEAST_BYTES = 90  # of a line that is worth its place


class _Line(NamedTuple):
    delivery: Delivery
    text: str
    whole: bool


def digest(scope: Scope, budget_tokens: int, only_interrupts: bool = False) -> Digest:
    """What is new for the actor, leased; an empty digest when that is nothing."""
    events: list[Event] = []
    polling.expire(scope, events)
    found, _ = polling.candidates(scope, INTERRUPT if only_interrupts else 0, events)
    scope.emit(*events)
    ids = compact([candidate.delivery.delivery_id for candidate in found])
    rows = scope.tx.all("turns.injected", agent_id=scope.actor.agent_id, now_ms=scope.now.ms, delivery_ids=ids)
    known = {str(row[0]) for row in rows}
    fresh = [candidate for candidate in found if candidate.delivery.delivery_id not in known]
    lines = _lines(scope, fresh, budget_tokens * _BYTES_PER_TOKEN - len(OPEN) - len(CLOSE))
    left = len(fresh) - len(lines)
    reminder = _reminder(scope, rows)
    if not lines and not reminder:
        return Digest(waiting=len(found))
    injection_id = _lease(scope, lines) if lines else ""
    more = [f"- {left} more wait: macp_poll"] if left else []
    text = "\n".join([OPEN, *(one.text for one in lines), *reminder, *more, CLOSE])
    return Digest(text, injection_id, [one.delivery.delivery_id for one in lines], len(found))


def _lines(scope: Scope, fresh: list[Candidate], room: int) -> list[_Line]:
    """Interrupts whole, then the others by utility as long as there is room."""
    tags = frozenset(scope.actor.interest_tags)
    fresh = sorted(fresh, key=lambda c: (c.delivery.priority < INTERRUPT, -utility(c, tags, scope.now)))
    texts = polling.contents(scope, [c.delivery.delivery_id for c in fresh if not c.delivery.content])
    lines: list[_Line] = []
    for candidate in fresh:
        delivery = candidate.delivery
        if not delivery.content:
            delivery = delivery._replace(content=texts.get(delivery.delivery_id, ""))
        urgent = delivery.priority == INTERRUPT
        if lines and not urgent and room < _LEAST_BYTES:
            break
        text, whole = line(delivery, INTERRUPT_BYTES if urgent else max(room, _LEAST_BYTES))
        room -= tokens(text) * _BYTES_PER_TOKEN
        lines.append(_Line(delivery, text, whole))
    return lines


def _lease(scope: Scope, lines: list[_Line]) -> str:
    injection_id, until = scope.new_id(), scope.now.ms + LEASE_MS
    for one in lines:
        scope.tx.run(
            "turns.lease",
            delivery_id=one.delivery.delivery_id,
            agent_id=scope.actor.agent_id,
            injection_id=injection_id,
            whole=int(one.whole),
            leased_until_ms=until,
        )
    return injection_id


def _reminder(scope: Scope, rows: list[tuple[object, ...]]) -> list[str]:
    """A line about earlier deliveries that still wait for the agent, when the last reminder is old."""
    now_ms = scope.now.ms
    due = [row[0] for row in rows if row[3] and isinstance(row[2], int) and now_ms - row[2] >= REMIND_MS]
    for delivery_id in due:
        scope.tx.run("turns.reminded", delivery_id=delivery_id, now_ms=now_ms)
    if not due:
        return []
    what = "message waits" if len(due) == 1 else "messages wait"
    return [f"- {len(due)} earlier {what} for an acknowledgement: macp_poll, macp_ack"]
