"""Which task comes next: the ready ones, by priority, then age, with a gentle boost for waiting.

A task for which a more urgent one waits, however indirectly, counts as much as that. A task rises by one level for each
day that it waits, but only to level 2: what is most urgent stays before what is only old. Levels are 1 to 5
(``Task.level``).
"""

from __future__ import annotations

from comity.kernel.named_tuple import NamedTuple
from comity.kernel.quoting import word
from comity.kernel.scope import Row, Scope
from comity.rooms.tasks.checks import my_profile
from comity.rooms.tasks.model import CLASSES, RANKS, Next, Ready, Shortage, Task, found, normal_slug
from comity.rooms.tasks.transitions import release_lapsed, transition

BOOST_S = 86_400  # waiting so long raises a task by one level
BOOSTED_TO = 2
_STUCK = 20


def effective_level(level: int, waiting_s: int | None) -> int:
    """The level that counts after waiting; unreadable times give no boost."""
    if waiting_s is None or level <= BOOSTED_TO:
        return level
    return max(BOOSTED_TO, level - max(0, waiting_s) // BOOST_S)


class _Ranked(NamedTuple):
    """A task's row, with how long it waits, in the order in which it comes."""

    level: int
    created_at: str
    number: int
    row: Row

    @classmethod
    def of(cls, level: int, row: Row) -> _Ranked:
        """A row at a level."""
        return cls(effective_level(level, row[-1]), row[12], row[15] or 0, row)


def ready(scope: Scope, limit: int, profile_slug: str | None) -> Ready:
    """What may be begun now, best first, and what never may."""
    profile = normal_slug(profile_slug) if profile_slug is not None else my_profile(scope)
    stuck = tuple(found(row).task for row in scope.tx.all("tasks.stuck", limit=_STUCK))
    return Ready(_best(scope, profile, limit), stuck)


def _best(scope: Scope, profile: str | None, limit: int) -> list[Task]:
    """The best ``limit`` of the ready tasks. Within a level the oldest come first, so as many of each are enough."""
    mine = {"agent_id": scope.actor.agent_id, "profile": profile, "second": scope.now.second, "limit": limit}
    ranked = [_Ranked.of(row[-1], row[:-1]) for row in scope.tx.all("tasks.lifted", **mine)]
    lifted = {one.row[0] for one in ranked}
    for level, priority in CLASSES.items():
        rows = scope.tx.all("tasks.ready", level=level, rank=RANKS[priority], **mine)
        ranked += [_Ranked.of(level, row) for row in rows if row[0] not in lifted]
        if level < BOOSTED_TO and sum(one.level <= level for one in ranked) >= limit:
            break
    ranked.sort(key=lambda one: one[:3])
    return [found(one.row[:-1]).task for one in ranked[:limit]]


def look(scope: Scope) -> Next | None:
    """The answer when there is nothing to claim, else None."""
    profile = my_profile(scope)
    if _best(scope, profile, 1) or scope.tx.one("tasks.has_lapsed", now=scope.now.iso) is not None:
        return None
    return _nothing(scope, profile)


def claim_next(scope: Scope, lease_s: int | None) -> Next:
    """Claim the best ready task for the caller's profile."""
    release_lapsed(scope)
    profile = my_profile(scope)
    best = _best(scope, profile, 1)
    if not best:
        return _nothing(scope, profile)
    return Next(transition(scope, best[0].task_id, "claim", lease_s=lease_s))


def _nothing(scope: Scope, profile: str | None) -> Next:
    row = scope.tx.one("tasks.shortage", agent_id=scope.actor.agent_id, profile=profile)
    short = Shortage._make(row or (0, 0, 0, 0, 0))
    if not short.pending:
        return Next(None, "No task is pending.", short)
    causes = [
        f"{number} {what}"
        for number, what in (
            (short.waiting - short.stuck, "waiting for tasks that are not done"),
            (short.stuck, "waiting for tasks that were cancelled"),
            (short.other_profile, f"for another profile than yours ({word(profile or 'none')})"),
            (short.assigned_to_others, "assigned to others"),
        )
        if number
    ]
    return Next(None, f"None of {short.pending} pending can be had: {', '.join(causes)}.", short)
