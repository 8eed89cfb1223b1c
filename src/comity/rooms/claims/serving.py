"""Taking a place in line, having one's turn, and giving the place up (``claims.line`` says who waits for whom).

A place is served in the transaction in which something becomes free, or of whoever asks next. Whether uncommitted work
is still there is looked at outside (``edits.line_ops``). A place ends with its agent, and with the process that waits
where one is named.
"""

from __future__ import annotations

from collections.abc import Callable

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.problem import Conflict, Limited
from comity.kernel.quoting import called, quoted, word
from comity.kernel.scope import Scope
from comity.kernel.text import compact
from comity.rooms.channels import deliveries
from comity.rooms.claims.acquisition import Part, Wish, family, found, hold
from comity.rooms.claims.expiry import mark_lapsed_at
from comity.rooms.claims.line import LinePlace, WaitingOrder, dead, every, holders, over, same
from comity.rooms.claims.model import WaitingPlace
from comity.rooms.claims.paths import Base, Target
from comity.rooms.claims.patterns import holds

MOST_PLACES = 200
_NOTICE_S = 86_400
_SHOWN = 5  # files that a notice names


def advance(scope: Scope) -> None:
    """Serve whoever's turn it is. Places of those who are gone end."""
    places = _living(scope, every(scope))
    if not places:
        return
    mark_lapsed_at(scope, [path for place in places for path in place.paths])
    line = WaitingOrder(scope, places)
    served = False
    for place in places:
        if line.holders[place.number] or line.before[place.number]:
            continue
        if served and holders(scope, place.agent_id, place.parts, place.mode):
            continue  # somebody before has it by now
        _serve(scope, place)
        served = True


def take(scope: Scope, base: Base, wish: Wish, waiter: str) -> WaitingPlace:
    """The actor's place: the one that it has already, or the last. Raises Conflict ``claim.circle``."""
    actor, parts = scope.actor, wish.parts(base)
    places = every(scope)
    own = next((one for one in places if one.agent_id == actor.agent_id and same(one, parts, wish.mode)), None)
    process = _process(scope, waiter)
    told = {"ttl_seconds": wish.ttl_seconds, "reason": wish.reason, **process}
    if own is not None:
        scope.tx.run("claims.wait_on", number=own.number, **told)
        return WaitingOrder(scope, places).shown(own)
    _refuse_circles(scope, WaitingOrder(scope, places), parts, wish)
    if len(places) >= MOST_PLACES:
        raise Limited(
            "claim.line_full",
            f"{MOST_PLACES} places in line are taken.",
            "Work on something else, and claim it later.",
        )
    scope.tx.run(
        "claims.stand_in_line",
        agent_id=actor.agent_id,
        repository=base.repository,
        worktree=base.worktree,
        folds=base.fold,
        files=compact([[target.path, target.tree] for target in wish.targets]),
        resources=compact([target.path for target in wish.resources]),
        mode=wish.mode,
        since_ms=scope.now.ms,
        **told,
    )
    paths = [target.path for part in parts for target in part.targets]
    scope.emit(Event("claim.waiting", agent_id=actor.agent_id, metadata={"files": paths, "mode": wish.mode}))
    places = every(scope)
    return WaitingOrder(scope, places).shown(places[-1])


def _process(scope: Scope, waiter: str) -> dict[str, object]:
    """The process with which a place ends, if others can see it."""
    pid, _, started = waiter.partition(":")
    own = scope.observer.presence
    known = pid.isdigit() and started and own is not None and own.boot_id and own.namespace
    if own is None or not known:
        return {"pid": None, "started": "", "boot_id": "", "pid_namespace": ""}
    return {"pid": int(pid), "started": started, "boot_id": own.boot_id, "pid_namespace": own.namespace}


def _refuse_circles(scope: Scope, line: WaitingOrder, parts: list[Part], wish: Wish) -> None:
    """Nobody waits for whoever waits for them: neither would ever have its turn."""
    me = scope.actor.agent_id
    for holder in sorted(holders(scope, me, parts, wish.mode)):
        if me not in line.waited_for([holder]):
            continue
        kin = family(scope, me)
        theirs = [one for one in line.places if one.agent_id == holder] or [
            one for one in line.places if line.holders[one.number] & kin
        ]
        what = quoted(theirs[0].paths[0]) if theirs else "something"
        raise Conflict(
            "claim.circle",
            f"{called(holder)} has it and waits for {what}, which waits for you: neither would ever have its turn.",
            "Release what the other waits for, and then stand in line: `claim.release`.",
            holder=holder,
            waitsFor=theirs[0].paths if theirs else [],
        )


def served(scope: Scope, base: Base, wish: Wish) -> None:
    """The actor has what it had a place for."""
    parts = wish.parts(base)
    for place in every(scope):
        if place.agent_id == scope.actor.agent_id and same(place, parts, wish.mode):
            scope.tx.run("claims.leave_line", number=place.number)


def leave(scope: Scope, base: Base, targets: list[Target], resources: Callable[[list[str]], list[str]]) -> list[str]:
    """Give up the actor's places that are for any of these files or resources; what they were for."""
    outer = [(base.key(target.path), target.pattern(base)) for target in targets]
    given_up: list[str] = []
    for place in every(scope):
        if place.agent_id != scope.actor.agent_id:
            continue
        wish, where = place.wish, (place.repository, place.worktree)
        files = [(base.key(one.path), one.pattern(base)) for one in wish.targets]
        named = where == (base.repository, base.worktree) and any(
            key == own or holds(pattern, inner) for key, pattern in outer for own, inner in files
        )
        if named or resources([one.path for one in wish.resources]):
            scope.tx.run("claims.leave_line", number=place.number)
            given_up += place.paths
    if given_up:
        scope.emit(Event("claim.left_line", agent_id=scope.actor.agent_id, metadata={"files": given_up}))
    return given_up


def _living(scope: Scope, places: list[LinePlace]) -> list[LinePlace]:
    """Without places of agents that are gone, and of processes that waited and have ended: those are removed."""
    ended = dead(scope) if places else set()
    left = []
    for place in places:
        if over(scope, place, ended):
            scope.tx.run("claims.leave_line", number=place.number)
            scope.emit(Event("claim.left_line", agent_id=place.agent_id, metadata={"files": place.paths}))
        else:
            left.append(place)
    return left


def _serve(scope: Scope, place: LinePlace) -> None:
    """Its agent holds it from now on, and is told unless a process of it waits."""
    assert place.session_id is not None, "a place ends with its agent"
    whose = scope.actor._replace(agent_id=place.agent_id, session_id=place.session_id, name=place.agent_name)
    other = scope.acting_as(whose)
    scope.tx.run("claims.leave_line", number=place.number)
    parts = place.parts
    own = [one for one in found(other, parts) if one.met.held.agent_id == place.agent_id and not one.met.elsewhere]
    claims = hold(other, place.wish, [(part.base, target) for part in parts for target in part.targets], own)
    waited: dict[str, object] = {"files": place.paths, "since": Instant.at(place.since_ms).iso}
    scope.emit(Event("claim.served", agent_id=place.agent_id, metadata=waited))
    if place.pid is not None:
        return
    shown = ", ".join(quoted(path) for path in place.paths[:_SHOWN])
    more = f" and {len(place.paths) - _SHOWN} more" if len(place.paths) > _SHOWN else ""
    text = (
        f"It is your turn: you hold {shown}{more} now, until {word(claims[0].expires_at)}. Read what others changed "
        "there before you go on, and release it when you are done."
    )
    deliveries.tell(scope, place.agent_id, text, "steering", _NOTICE_S)
