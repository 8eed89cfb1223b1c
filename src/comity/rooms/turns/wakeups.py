"""Waking: a session that is idle (``idleness``) is woken at most once until it goes on.

Who waits beside it (a hook's process, its server) only asks; that a wake is taken is decided here, in the transaction
that remembers for which deliveries. So two that wait wake it once, ten messages wake it once, and no message wakes
anybody twice. A wake says how many messages wait and nothing that a peer wrote: the prompt that it becomes is answered
by the ordinary digest.
"""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.channels.budget import INTERRUPT
from comity.rooms.channels.model import PRIORITIES
from comity.rooms.turns import idleness, speaker
from comity.rooms.turns.model import WAKE_LASTS_MS, WAKES_PER_HOUR, Wake, Watched

_HOUR_MS = 3_600_000


class _Rest(NamedTuple):
    resting: bool
    watcher: str
    ended: bool
    woken_ms: int | None
    wakes: int  # within the last hour


def watch(scope: Scope, watcher: str, *, rests: bool) -> Watched:
    """From now on this one waits, and no other; a session that is over stays over."""
    now_ms = scope.now.ms if rests else None
    row = scope.tx.one("turns.watch", watcher=watcher, now_ms=now_ms, **idleness.key(scope))
    return Watched("" if row is None else str(row[0]))


def look(scope: Scope, watcher: str, least: str) -> Wake | None:
    """The answer as far as reading tells it; None when there is something to write."""
    answer = _answer(scope, watcher)
    if answer is not None and answer.over:
        return answer
    settled = speaker.look(scope)
    if settled is None:
        return None
    return answer if answer is not None else None if _due(settled, least) else Wake(resting=True)


def wake(scope: Scope, watcher: str, least: str) -> Wake:
    """Take the wake, if there is one to take."""
    answer = _answer(scope, watcher)
    if answer is not None and answer.over:
        return answer
    settled = speaker.settle(scope)
    if answer is not None:
        return answer
    due = _due(settled, least)
    if due:
        ids = [delivery_id for delivery_id, _ in due]
        now_ms, session = scope.now.ms, idleness.key(scope)
        scope.tx.run("turns.woken", now_ms=now_ms, **session)
        scope.tx.run("turns.remember_wake", delivery_ids=compact(ids), now_ms=now_ms, **session)
        told: dict[str, object] = {"deliveries": ids, "host": session["host"]}
        settled.emit(Event("session.woken", agent_id=settled.actor.agent_id, metadata=told))
    return Wake(_fact(due), resting=True)


def _answer(scope: Scope, watcher: str) -> Wake | None:
    """None when the session may be woken now."""
    since_ms = scope.now.ms - _HOUR_MS
    row = scope.tx.one("turns.rest", since_ms=since_ms, **idleness.key(scope))
    rest = None if row is None else _Rest._make(row)
    if rest is None or rest.ended or (watcher and rest.watcher != watcher):
        return Wake(over=True)
    if not rest.resting:
        return Wake()
    awaited = rest.woken_ms is not None and scope.now.ms - rest.woken_ms < WAKE_LASTS_MS
    return Wake(resting=True) if awaited or rest.wakes >= WAKES_PER_HOUR else None


def _due(scope: Scope, least: str) -> list[tuple[str, int]]:
    rows = scope.tx.all(
        "turns.due",
        agent_id=scope.actor.agent_id,
        least=PRIORITIES.index(least),
        now_ms=scope.now.ms,
        second=scope.now.second,
    )
    return [(str(row[0]), int(row[1])) for row in rows]


def _fact(due: list[tuple[str, int]]) -> str:
    if not due:
        return ""
    urgent = sum(priority == INTERRUPT for _, priority in due)
    one = len(due) == 1
    who = "1 message from another agent waits" if one else f"{len(due)} messages from other agents wait"
    more = f", {'' if one else f'{urgent} '}of priority interrupt" if urgent else ""
    return f"{who} in Comity{more}. `message.poll` reads what is not shown here."
