"""Standing in line: who waits for its turn to hold files or resources, and whose turn it is.

First come, first served: a place is served as a whole once nothing of it is in the way, neither a peer's claim or
uncommitted work nor a place of somebody who came before. Nobody waits for whoever waits for them: such a place is not
given, and one that came before does not count against an agent for which it waits itself. So a line always moves.

What is authoritative are the rows of places. Nothing is changed here: ``claims.serving`` does that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from comity.kernel.clock import Instant
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.scope import Scope
from comity.kernel.text import read_list, read_strings
from comity.rooms.agents import presence
from comity.rooms.agents.liveness import gone
from comity.rooms.claims.acquisition import MetClaim, Part, Wish, bars, family, found, of_peers
from comity.rooms.claims.model import WAITING, WaitingPlace
from comity.rooms.claims.overlaps import Held, Met, Wanted
from comity.rooms.claims.paths import Base, Target
from comity.rooms.work import facts, standing
from comity.rooms.work.facts import Work


class LinePlace(NamedTuple):
    """One place in line, as its row has it. ``session_id`` is that of its agent while it is active."""

    number: int
    agent_id: str
    agent_name: str
    session_id: str | None
    repository: str
    worktree: str
    folds: int
    files: str
    resources: str
    mode: str
    ttl_seconds: int
    reason: str | None
    since_ms: int
    pid: int | None
    started: str
    boot_id: str
    namespace: str

    @property
    def base(self) -> Base:
        """Where its files count from."""
        return Base(self.repository, self.worktree, "", bool(self.folds))

    @property
    def wish(self) -> Wish:
        """What it is for."""
        files = [Target(path, None if tree is None else bool(tree)) for path, tree in read_list(self.files) or []]
        resources = tuple(Target(name, None) for name in read_strings(self.resources) or [])
        return Wish(files, self.ttl_seconds, self.reason, self.mode, partial=False, resources=resources)

    @property
    def parts(self) -> list[Part]:
        """The same by where it counts from."""
        return self.wish.parts(self.base)

    @property
    def paths(self) -> list[str]:
        """Every path and name that it is for."""
        return [target.path for part in self.parts for target in part.targets]


class WaitingOrder:
    """Everybody who waits, and for whom: ``holders`` have something of it, ``before`` come first; by place."""

    def __init__(self, scope: Scope, places: list[LinePlace]) -> None:
        self.places = places
        self._scope = scope
        self._waits: dict[str, set[str]] = {}  # agents, and those that they wait for
        self.holders = {place.number: holders(scope, place.agent_id, place.parts, place.mode) for place in places}
        self.before: dict[int, set[str]] = {}
        for place in places:
            self._waits.setdefault(place.agent_id, set()).update(self.holders[place.number])
        for place in places:
            earlier = [one for one in places if one.number < place.number]
            found = {one.agent_id for one in self.standing_before(place.agent_id, place.parts, place.mode, earlier)}
            self.before[place.number] = found
            self._waits[place.agent_id] |= found

    def standing_before(
        self, agent_id: str, parts: list[Part], mode: str, places: Iterable[LinePlace]
    ) -> list[LinePlace]:
        """Those of ``places`` that have to be served before the agent may have this."""
        kin = family(self._scope, agent_id)
        return [
            one
            for one in places
            if one.agent_id not in kin
            and not (mode == one.mode == "shared")
            and any(meets(part, one.parts) for part in parts)
            and agent_id not in self.waited_for(self.holders[one.number] | self.before.get(one.number, set()))
        ]

    def waited_for(self, agents: Collection[str]) -> set[str]:
        """These agents, those that they wait for, and so on."""
        seen: set[str] = set()
        ahead = list(agents)
        while ahead:
            agent_id = ahead.pop()
            if agent_id not in seen:
                seen.add(agent_id)
                ahead += self._waits.get(agent_id, ())
        return seen

    def shown(self, place: LinePlace) -> WaitingPlace:
        """A place as callers see it."""
        before = self.before[place.number]
        return WaitingPlace(
            len(before) + 1,
            place.paths,
            place.agent_id,
            place.agent_name,
            place.mode,
            Instant.at(place.since_ms).iso,
            tuple(sorted(self.holders[place.number] | before)),
            place.reason,
            place.worktree,
        )


def meets(part: Part, others: list[Part]) -> list[str]:
    """The paths of ``part`` that one of the others is for, too."""
    wanted = Wanted(part.base, part.targets)
    where = (part.base.repository, part.base.worktree)
    return [
        path
        for other in others
        if (other.base.repository, other.base.worktree) == where
        for target in other.targets
        for path in wanted.met_by(target.pattern(part.base))
    ]


def holders(scope: Scope, agent_id: str, parts: list[Part], mode: str) -> set[str]:
    """Who holds some of it, or has uncommitted work in it."""
    kin = family(scope, agent_id)
    held = {one.met.held.agent_id for one in of_peers(found(scope, parts), kin, mode) if bars(one)}
    return held | {owner for owner, _ in at_work(scope, kin, parts)}


def at_work(scope: Scope, kin: Collection[str], parts: list[Part]) -> list[tuple[str, Work]]:
    """Uncommitted work of living peers in these files, by whose it is now."""
    works = [
        work
        for part in parts
        for work in works_in(scope, part)
        if not work.let_go and work.agent_id not in kin and not {*kin} & {*work.also}
    ]
    state = standing.of(scope, [work.agent_id for work in works])
    owned = [(state.owner.get(work.agent_id), work) for work in works]
    return [(owner, work) for owner, work in owned if owner is not None and owner not in kin]


def works_in(scope: Scope, part: Part) -> list[Work]:
    """What is known of uncommitted work there, whoever has it."""
    base, where = part.base, (part.base.repository, part.base.worktree)
    wanted = Wanted(base, part.targets)
    if all(pattern.plain for pattern in wanted.patterns.values()) and all(one.literal for one in part.targets):
        return facts.at(scope, *where, [base.key(target.path) for target in part.targets])
    there = [work for work in facts.of_repository(scope, base.repository) if work.worktree == base.worktree]
    return [work for work in there if wanted.met_by(Target(work.file_path, None).pattern(base))]


def every(scope: Scope) -> list[LinePlace]:
    """Every place, first come first."""
    return [LinePlace._make(row) for row in scope.tx.all("claims.line")]


def due(scope: Scope) -> bool:
    """Whether somebody's turn may have come, or a place is over, by reading alone."""
    places, gone_sessions = every(scope), presence.dead(scope)
    ended, agents = {one.session_id for one in gone_sessions}, {one.agent_id for one in gone_sessions}
    line = WaitingOrder(scope, places)
    return any(
        over(scope, place, ended)
        or line.holders[place.number] & agents
        or not (line.holders[place.number] or line.before[place.number])
        for place in places
    )


def ahead(scope: Scope, parts: list[Part], mode: str) -> list[MetClaim]:
    """Places that come before the actor's wish, as if they were claims."""
    places = every(scope)
    line = WaitingOrder(scope, places)
    first = line.standing_before(scope.actor.agent_id, parts, mode, places)
    return [
        MetClaim(part.base, _met(place, part, files))
        for place in first
        for part in parts
        if (files := meets(part, place.parts))
    ]


def _met(place: LinePlace, part: Part, files: list[str]) -> Met:
    target = next(one for one in part.targets if one.path == files[0])
    held = Held(
        *(WAITING, place.agent_id, place.session_id or "", files[0], Instant.at(place.since_ms).iso, "", place.reason),
        *(WAITING, 0, place.agent_name, part.base.repository, part.base.worktree, place.since_ms // 1000),
        *(int(bool(target.tree)), int(target.literal)),
    )
    return Met(held, files[0], target.pattern(part.base), files, elsewhere=False)


def in_the_way(scope: Scope, parts: list[Part], wish: Wish) -> bool:
    """Whether the actor has to wait for it, were it the last to come."""
    agent_id = scope.actor.agent_id
    if holders(scope, agent_id, parts, wish.mode):
        return True
    places = every(scope)
    own = next((one for one in places if one.agent_id == agent_id and same(one, parts, wish.mode)), None)
    line = WaitingOrder(scope, places)
    if own is not None:
        return bool(line.before[own.number])
    return bool(line.standing_before(agent_id, parts, wish.mode, places))


def listed(scope: Scope, agent_id: str | None, parts: list[Part] | None) -> tuple[WaitingPlace, ...]:
    """Places of this agent, or of anybody, that are for some of ``parts``, or for anything."""
    places = every(scope)
    line = WaitingOrder(scope, places)
    return tuple(
        line.shown(place)
        for place in places
        if agent_id in (None, place.agent_id) and (parts is None or any(meets(part, place.parts) for part in parts))
    )


def same(place: LinePlace, parts: list[Part], mode: str) -> bool:
    """Whether a place is for exactly this."""

    def spots(some: list[Part]) -> set[tuple[str, str, str, bool | None]]:
        return {
            (part.base.repository, part.base.worktree, part.base.key(target.path), target.tree)
            for part in some
            for target in part.targets
        }

    return place.mode == mode and spots(place.parts) == spots(parts)


def dead(scope: Scope) -> set[str]:
    """Sessions that are certainly dead."""
    return {one.session_id for one in presence.dead(scope)}


def over(scope: Scope, place: LinePlace, dead: Collection[str]) -> bool:
    """Whether the agent of a place is none of the living, or the process that waited has ended."""
    if place.session_id is None or place.session_id in dead:
        return True
    own = scope.observer.presence
    if place.pid is None or own is None or (own.boot_id, own.namespace) != (place.boot_id, place.namespace):
        return False
    return gone(place.started, scope.observer.look(place.pid)) is True
