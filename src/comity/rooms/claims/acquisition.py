"""Claiming, renewing and letting go: one transaction each, and no two holders of an exclusive claim.

A path is held by one agent exclusively or by several who share it. Only claims that Comity made in the same worktree
keep anybody out; those of other implementations, and of other worktrees and repositories, are told of. Each new hold
gets a fence, a number greater than that of any hold before it; renewing keeps it.

Who may not have something now may stand in line for it (``claims.line``, which is loaded once somebody does). Whoever
comes later does not pass those who stand there.
"""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.hints import Any
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, NotFound, Refused
from comity.kernel.quoting import called, quoted, word
from comity.kernel.record import to_json
from comity.kernel.scope import Scope
from comity.rooms.agents import identity
from comity.rooms.claims import release
from comity.rooms.claims.expiry import mark_lapsed, mark_lapsed_at
from comity.rooms.claims.model import MAX_TTL_S, RESOURCES, WAITING, Claim, Claimed, PeerClaim, Renewed
from comity.rooms.claims.overlaps import Held, Met, touching
from comity.rooms.claims.paths import Base, Target

_LOGGED = 20  # files and holders that the log names of a refusal
EVERYWHERE = Base(RESOURCES, "", "", True)  # where resources are
Spot = tuple[str, str]  # repository and path


class Part(NamedTuple):
    """Targets of one base: the files of a checkout, or resources."""

    base: Base
    targets: list[Target]


class Wish(NamedTuple):
    """What a caller wants to hold, and how."""

    targets: list[Target]
    ttl_seconds: int
    reason: str | None
    mode: str
    partial: bool
    resources: tuple[Target, ...] = ()

    def parts(self, base: Base) -> list[Part]:
        """The files, which count from ``base``, and the resources."""
        return parted(base, self.targets, self.resources)


def parted(base: Base, files: Collection[Target], resources: Collection[Target]) -> list[Part]:
    """What there is of both; resources count from nowhere."""
    return [Part(one, list(some)) for one, some in ((base, files), (EVERYWHERE, resources)) if some]


class MetClaim(NamedTuple):
    """An active claim that meets some of a part."""

    base: Base
    met: Met

    @property
    def spots(self) -> list[Spot]:
        """The wanted paths that it meets."""
        return [(self.base.repository, path) for path in self.met.files]


def found(scope: Scope, parts: list[Part]) -> list[MetClaim]:
    """Every active claim there, own ones too."""
    return [MetClaim(part.base, met) for part in parts for met in touching(scope, part.base, part.targets)]


def family(scope: Scope, agent_id: str) -> set[str]:
    """The agent and those above it: what a parent holds keeps no subagent of it out; nor does a silent subagent."""
    return identity.kin(scope, agent_id)


def of_peers(every: list[MetClaim], kin: Collection[str], mode: str) -> list[MetClaim]:
    """Claims of others, but those that are shared by whoever wants to share."""
    return [one for one in every if one.met.held.agent_id not in kin and not (mode == one.met.held.mode == "shared")]


def bars(one: MetClaim) -> bool:
    """Whether a peer's claim keeps others out, here."""
    return one.met.held.mode is not None and not one.met.elsewhere


def acquire(scope: Scope, base: Base, wish: Wish, *, wait: bool = False, waiter: str = "") -> Claimed:
    """Hold the files, or all that are free. Raises Conflict ``claim.held``.

    With ``wait`` the agent gets a place in line instead, which ends with the process ``waiter`` where one is named.
    """
    parts = wish.parts(base)
    mark_lapsed_at(scope, [target.path for part in parts for target in part.targets])
    lined = release.in_line(scope)
    if lined:
        _serving().advance(scope)
    agent_id = scope.actor.agent_id
    every = found(scope, parts)
    alone = all(one.met.held.agent_id == agent_id for one in every)
    kin = {agent_id} if alone else family(scope, agent_id)  # what a parent holds keeps no subagent of it out
    if any(map(bars, of_peers(every, kin, wish.mode))) and release.release_deserted(scope):
        every = found(scope, parts)
    peers = of_peers(every, kin, wish.mode)
    ahead: list[MetClaim] = _line().ahead(scope, parts, wish.mode) if lined else []
    if wait and (any(map(bars, peers)) or _line().in_the_way(scope, parts, wish)):
        place = _serving().take(scope, base, wish, waiter)
        return Claimed("", [], tuple(_peer(scope, base, one.met) for one in [*peers, *ahead]), (), place)
    conflicts = tuple(_peer(scope, one.base, one.met) for one in [*peers, *ahead])
    barred = {spot for one in [*peers, *ahead] if bars(one) for spot in one.spots}
    spots = [(part.base, target) for part in parts for target in part.targets]
    free = [(there, target) for there, target in spots if (there.repository, target.path) not in barred]
    if barred and not (wish.partial and free):
        raise _refusal(scope, wish, conflicts)
    claims = hold(
        scope, wish, free, [one for one in every if one.met.held.agent_id == agent_id and not one.met.elsewhere]
    )
    if lined:
        _serving().served(scope, base, wish)
    refused = tuple(target.path for there, target in spots if (there.repository, target.path) in barred)
    return Claimed(claims[0].claim_id, sorted(claims, key=lambda claim: claim.file_path), conflicts, refused)


def _line() -> Any:
    return import_module("comity.rooms.claims.line")


def _serving() -> Any:
    return import_module("comity.rooms.claims.serving")


def _peer(scope: Scope, base: Base, met: Met) -> PeerClaim:
    """A peer's claim, or its place in line, as the caller is told of it."""
    held = met.held
    claim = held.claim(base)
    return PeerClaim(
        files=sorted(met.files),
        file_path=claim.file_path,
        agent_id=claim.agent_id,
        agent_name=claim.agent_name or claim.agent_id,
        session_id=claim.session_id,
        claim_id=claim.claim_id,
        claimed_at=claim.claimed_at,
        expires_at=claim.expires_at,
        age_seconds=max(0, scope.now.second - held.since) if held.since is not None else 0,
        mode=claim.mode,
        reason=claim.reason,
        fence=claim.fence,
        elsewhere=met.elsewhere,
        repository=claim.repository,
        worktree=claim.worktree,
    )


def _refusal(scope: Scope, wish: Wish, conflicts: tuple[PeerClaim, ...]) -> Refused:
    """The error that names who holds what, and its audit row."""
    barring = [one for one in conflicts if one.mode != "advisory" and not one.elsewhere]
    holders = sorted({one.agent_id for one in barring})
    files = sorted({path for one in barring for path in one.files})
    detail: dict[str, object] = {"mode": wish.mode, "files": files[:_LOGGED], "holders": holders[:_LOGGED]}
    scope.emit(Event("claim.refused", agent_id=scope.actor.agent_id, reason_code="claim.held", metadata=detail))
    first = barring[0]
    others = f", and {len(barring) - 1} more" if len(barring) > 1 else ""
    who = called(first.agent_name, first.agent_id)
    why = f" ({quoted(first.reason, 120)})" if first.reason else ""
    how = "stands in line for" if first.mode == WAITING else "holds"
    until = f" until {word(first.expires_at)}" if first.expires_at else ""
    return Refused(
        Conflict(
            "claim.held",
            f"{who} {how} {quoted(first.file_path)}{why}{until}{others}. Nothing was claimed.",
            f"Work on something else, send {called(first.agent_id)} a message, claim with partial what is free, or "
            "claim it with wait: you get it when it is your turn, and are told.",
            files=files,
            holders=holders,
            conflicts=to_json(conflicts),
        )
    )


def hold(scope: Scope, wish: Wish, placed: list[tuple[Base, Target]], own: list[MetClaim]) -> list[Claim]:
    """Write the claims; what this agent held at the same paths is superseded and leaves its fence to the new one."""
    actor, tx, now = scope.actor, scope.tx, scope.now.iso
    claim_id, expires_at = scope.new_id(), expiry(scope, wish.ttl_seconds)
    files = [target.path for _, target in placed]
    by_key = {(base.repository, base.key(target.path)): target.path for base, target in placed}
    kept: dict[str, int] = {}
    for one in own:
        held, path = one.met.held, by_key.get((one.base.repository, one.base.key(one.met.path)))
        if path is not None:
            tx.run("claims.release", now=now, reason="superseded", claim_id=held.claim_id, file_path=held.file_path)
            if held.mode == wish.mode and held.fence:
                kept[path] = held.fence
    fresh = [path for path in files if path not in kept]
    fences = kept | (_new_fences(scope, fresh) if fresh else {})
    common = (actor.agent_id, actor.session_id)
    tx.many("claims.insert", [(claim_id, path, *common, now, expires_at, wish.reason) for path in files])
    details = [
        (
            *(claim_id, target.path, wish.mode, fences[target.path], bool(target.tree), target.literal),
            *(base.repository, base.worktree, actor.agent_id),
        )
        for base, target in placed
    ]
    tx.many("claims.insert_details", details)
    first = placed[0][0]
    detail: dict[str, object] = {
        "claim_id": claim_id,
        "mode": wish.mode,
        "files": files,
        "fences": [fences[path] for path in files],
        "expires_at": expires_at,
        "repository": first.repository,
        "worktree": first.worktree,
    }
    scope.emit(Event("claim.acquired", agent_id=actor.agent_id, metadata=detail))
    return [
        Claim(
            *(claim_id, *common, target.path, now, expires_at, wish.reason, wish.mode, fences[target.path]),
            worktree=base.worktree,
        )
        for base, target in placed
    ]


def _new_fences(scope: Scope, files: list[str]) -> dict[str, int]:
    """A number for each, above all before. The write lock is held: nobody else counts meanwhile."""
    row = scope.tx.one("claims.newest_fence")
    newest: int = row[0] if row else 0
    scope.tx.run("claims.raise_fence", newest=newest + len(files))
    return {path: newest + place for place, path in enumerate(files, 1)}


def expiry(scope: Scope, ttl_seconds: int) -> str:
    """When a hold ends: a whole second, since that is all that anybody compares (reference section 1.7).

    Rounded up: a fraction that was told would not be kept. The original reads the same end from such a row.
    """
    ends_ms = scope.now.ms + min(ttl_seconds, MAX_TTL_S) * 1000
    return Instant.at(-(-ends_ms // 1000) * 1000).iso


def renew(
    scope: Scope, base: Base, targets: list[Target] | None, ttl_seconds: int, resources: Collection[Target] = ()
) -> Renewed:
    """Hold for longer what is held already; never for shorter. NotFound ``claim.not_held`` when it is nothing."""
    mark_lapsed(scope)
    actor = scope.actor
    rows = scope.tx.all("claims.active", second=scope.now.second, agent_id=actor.agent_id, limit=-1)
    held_here = [held for held in map(Held.read, rows) if held.resource or not held.elsewhere(base)]
    own = [(_spot(base, held), held) for held in held_here if held.session_id == actor.session_id]
    wanted = None
    if targets is not None:
        wanted = {(base.repository, base.key(target.path)): target.path for target in targets}
        wanted |= {(RESOURCES, target.path): target.path for target in resources}
    chosen = [(spot, held) for spot, held in own if wanted is None or spot in wanted]
    found = {spot for spot, _ in chosen}
    missing = () if wanted is None else tuple(path for spot, path in wanted.items() if spot not in found)
    if not chosen:
        raise NotFound(
            "claim.not_held",
            f"{actor.agent_id} holds none of these." if wanted else f"{actor.agent_id} holds nothing.",
            "Claim the files: a claim that lapsed may be somebody else's by now.",
            files=list(missing),
        )
    expires_at = expiry(scope, ttl_seconds)
    renewed = [held if held.expires_at >= expires_at else held._replace(expires_at=expires_at) for _, held in chosen]
    for held in renewed:
        tx = scope.tx
        tx.run("claims.renew", expires_at=held.expires_at, claim_id=held.claim_id, file_path=held.file_path)
    detail: dict[str, object] = {"files": [held.file_path for held in renewed], "expires_at": expires_at}
    scope.emit(Event("claim.renewed", agent_id=actor.agent_id, metadata=detail))
    return Renewed([held.claim(base) for held in renewed], missing)


def _spot(base: Base, held: Held) -> Spot:
    """What an own claim is found by."""
    return (RESOURCES, held.file_path) if held.resource else (base.repository, base.key(held.file_path))
