"""Claiming, renewing and letting go: one transaction each, and no two holders of an exclusive claim.

A path is held by one agent exclusively or by several who share it. Only claims that Comity made in the same worktree
keep anybody out; those of other implementations, and of other worktrees and repositories, are told of. Each new hold
gets a fence, a number greater than that of any hold before it; renewing keeps it.
"""

from __future__ import annotations

from comity.kernel.clock import Instant
from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Conflict, NotFound, Refused
from comity.kernel.quoting import called, quoted, word
from comity.kernel.record import to_json
from comity.kernel.scope import Scope
from comity.rooms.agents import identity
from comity.rooms.claims.expiry import mark_lapsed, mark_lapsed_at
from comity.rooms.claims.model import MAX_TTL_S, Claim, Claimed, PeerClaim, Renewed
from comity.rooms.claims.overlaps import Held, Met, touching
from comity.rooms.claims.paths import Base, Target

_LOGGED = 20  # files and holders that the log names of a refusal


class Wish(NamedTuple):
    """What a caller wants to hold, and how."""

    targets: list[Target]
    ttl_seconds: int
    reason: str | None
    mode: str
    partial: bool


def acquire(scope: Scope, base: Base, wish: Wish) -> Claimed:
    """Hold the files, or all that are free. Raises Conflict ``claim.held``."""
    mark_lapsed_at(scope, [target.path for target in wish.targets])
    agent_id = scope.actor.agent_id
    met = touching(scope, base, wish.targets)
    family = {agent_id, *identity.ancestors(scope, agent_id)}  # what a parent holds keeps no subagent of it out
    peers = [one for one in met if one.held.agent_id not in family and not _shared(one, wish.mode)]
    conflicts = tuple(_peer(scope, base, one) for one in peers)
    barred = {path for one in peers if _bars(one) for path in one.files}
    free = [target for target in wish.targets if target.path not in barred]
    if barred and not (wish.partial and free):
        raise _refusal(scope, wish, conflicts)
    claims = _hold(scope, base, wish, free, [one for one in met if one.held.agent_id == agent_id and not one.elsewhere])
    refused = tuple(target.path for target in wish.targets if target.path in barred)
    return Claimed(claims[0].claim_id, sorted(claims, key=lambda claim: claim.file_path), conflicts, refused)


def _shared(met: Met, mode: str) -> bool:
    return mode == "shared" and met.held.mode == "shared"


def _bars(met: Met) -> bool:
    return met.held.mode is not None and not met.elsewhere


def _peer(scope: Scope, base: Base, met: Met) -> PeerClaim:
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
    return Refused(
        Conflict(
            "claim.held",
            f"{who} holds {quoted(first.file_path)}{why} until {word(first.expires_at)}{others}. Nothing was claimed.",
            f"Work on something else, send {called(first.agent_id)} a message, or claim with partial what is free.",
            files=files,
            holders=holders,
            conflicts=to_json(conflicts),
        )
    )


def _hold(scope: Scope, base: Base, wish: Wish, targets: list[Target], own: list[Met]) -> list[Claim]:
    """Write the claims; what this agent held at the same paths is superseded and leaves its fence to the new one."""
    actor, tx, now = scope.actor, scope.tx, scope.now.iso
    claim_id, expires_at = scope.new_id(), _expiry(scope, wish.ttl_seconds)
    files = [target.path for target in targets]
    by_key = {base.key(path): path for path in files}
    kept: dict[str, int] = {}
    for one in own:
        held, path = one.held, by_key.get(base.key(one.path))
        if path is not None:
            tx.run("claims.release", now=now, reason="superseded", claim_id=held.claim_id, file_path=held.file_path)
            if held.mode == wish.mode and held.fence:
                kept[path] = held.fence
    fresh = [path for path in files if path not in kept]
    fences = kept | (_new_fences(scope, fresh) if fresh else {})
    common = (actor.agent_id, actor.session_id)
    tx.many("claims.insert", [(claim_id, path, *common, now, expires_at, wish.reason) for path in files])
    where = (base.repository, base.worktree, actor.agent_id)
    details = [(claim_id, path, wish.mode, fences[path], bool(tree), tree is None, *where) for path, tree in targets]
    tx.many("claims.insert_details", details)
    detail: dict[str, object] = {
        "claim_id": claim_id,
        "mode": wish.mode,
        "files": files,
        "fences": [fences[path] for path in files],
        "expires_at": expires_at,
        "repository": base.repository,
        "worktree": base.worktree,
    }
    scope.emit(Event("claim.acquired", agent_id=actor.agent_id, metadata=detail))
    return [
        Claim(claim_id, *common, path, now, expires_at, wish.reason, wish.mode, fences[path], worktree=base.worktree)
        for path in files
    ]


def _new_fences(scope: Scope, files: list[str]) -> dict[str, int]:
    """A number for each, above all before. The write lock is held: nobody else counts meanwhile."""
    row = scope.tx.one("claims.newest_fence")
    newest: int = row[0] if row else 0
    scope.tx.run("claims.raise_fence", newest=newest + len(files))
    return {path: newest + place for place, path in enumerate(files, 1)}


def _expiry(scope: Scope, ttl_seconds: int) -> str:
    """When a hold ends: a whole second, since that is all that anybody compares (reference section 1.7).

    Rounded up: a fraction that was told would not be kept. The original reads the same end from such a row.
    """
    ends_ms = scope.now.ms + min(ttl_seconds, MAX_TTL_S) * 1000
    return Instant.at(-(-ends_ms // 1000) * 1000).iso


def renew(scope: Scope, base: Base, targets: list[Target] | None, ttl_seconds: int) -> Renewed:
    """Hold for longer what is held already; never for shorter. NotFound ``claim.not_held`` when it is nothing."""
    mark_lapsed(scope)
    actor = scope.actor
    rows = scope.tx.all("claims.active", second=scope.now.second, agent_id=actor.agent_id, limit=-1)
    own = [held for held in map(Held.read, rows) if held.session_id == actor.session_id and not held.elsewhere(base)]
    wanted = None if targets is None else {base.key(target.path): target.path for target in targets}
    chosen = [held for held in own if wanted is None or base.key(held.file_path) in wanted]
    found = {base.key(held.file_path) for held in chosen}
    missing = () if wanted is None else tuple(path for key, path in wanted.items() if key not in found)
    if not chosen:
        raise NotFound(
            "claim.not_held",
            f"{actor.agent_id} holds none of these." if targets else f"{actor.agent_id} holds nothing.",
            "Claim the files: a claim that lapsed may be somebody else's by now.",
            files=list(missing),
        )
    expires_at = _expiry(scope, ttl_seconds)
    renewed = [held if held.expires_at >= expires_at else held._replace(expires_at=expires_at) for held in chosen]
    for held in renewed:
        tx = scope.tx
        tx.run("claims.renew", expires_at=held.expires_at, claim_id=held.claim_id, file_path=held.file_path)
    detail: dict[str, object] = {"files": [held.file_path for held in renewed], "expires_at": expires_at}
    scope.emit(Event("claim.renewed", agent_id=actor.agent_id, metadata=detail))
    return Renewed([held.claim(base) for held in renewed], missing)
