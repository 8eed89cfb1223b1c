"""The guard before an edit: refused where a living peer holds the file, else claimed for whoever edits it."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.scope import Scope
from comity.rooms.agents import identity, presence
from comity.rooms.claims import holding
from comity.rooms.claims.finding import Held, Met, touching
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits.model import Verdict
from comity.rooms.lifecycle import departure
from comity.rooms.turns import settling
from comity.rooms.turns.quoting import name, plain

_REASON = "editing"
_MOST_TOLD = 3


def own(scope: Scope, base: Base, targets: list[Target], lease_s: int) -> Verdict | None:
    """Yes, when the caller holds every file for half of its lease yet: nothing is to be written."""
    settled = settling.look(scope)
    if settled is None:
        return None
    met = touching(settled, base, targets)
    mine = {
        path
        for one in met
        if one.held.agent_id == settled.actor.agent_id and _left_s(scope, one.held) * 2 > lease_s and _exclusive(one)
        for path in one.files
    }
    others = any(one.held.agent_id != settled.actor.agent_id for one in met)
    return Verdict(allowed=True) if not others and mine >= {target.path for target in targets} else None


def check(scope: Scope, base: Base, targets: list[Target], lease_s: int) -> Verdict:
    """The verdict; what is free is claimed."""
    scope = settling.settle(scope)
    if presence.dead(scope):
        departure.reap(scope)
    met = touching(scope, base, targets)
    family = {scope.actor.agent_id, *identity.ancestors(scope, scope.actor.agent_id)}
    peers = [one for one in met if one.held.agent_id not in family]
    barring = [one for one in peers if _exclusive(one)]
    if barring:
        return _refused(scope, barring)
    _claim(scope, base, targets, peers, lease_s)
    told = [_says(scope, one) for one in peers if one.held.mode != "shared"]
    return Verdict(allowed=True, warning="\n".join(told[:_MOST_TOLD]))


def _exclusive(met: Met) -> bool:
    return met.held.mode == "exclusive" and not met.elsewhere


def _claim(scope: Scope, base: Base, targets: list[Target], peers: list[Met], lease_s: int) -> None:
    """Hold what is edited, shared where peers share it."""
    shared = {path for one in peers if one.held.mode == "shared" and not one.elsewhere for path in one.files}
    for mode, some in (
        ("exclusive", [target for target in targets if target.path not in shared]),
        ("shared", [target for target in targets if target.path in shared]),
    ):
        if some:
            holding.acquire(scope, base, holding.Wish(some, lease_s, _REASON, mode, partial=True))


def _refused(scope: Scope, barring: list[Met]) -> Verdict:
    holders = tuple(dict.fromkeys(one.held.agent_id for one in barring))
    files = sorted({path for one in barring for path in one.files})
    detail: dict[str, object] = {"files": files[:20], "holders": list(holders)[:20]}
    scope.emit(Event("edit.refused", agent_id=scope.actor.agent_id, reason_code="claim.held", metadata=detail))
    told = " ".join(_says(scope, one) for one in barring[:_MOST_TOLD])
    who = name(holders[0])
    hint = (
        f"Nothing was changed. Work on another file meanwhile, or ask {who} (macp_send_direct to {who}); "
        "macp_ext_list_locks shows what is held."
    )
    return Verdict(allowed=False, refusal=f"{told} {hint}", holders=holders)


def _says(scope: Scope, met: Met) -> str:
    """One claim in a sentence."""
    held = met.held
    who = name(held.agent_name or held.agent_id)
    title = who if who == name(held.agent_id) else f"{who} ({name(held.agent_id)})"
    why = f', "{plain(held.reason)[:120]}"' if held.reason else ""
    age = _span(max(0, scope.now.second - held.since)) if held.since is not None else "some time"
    how = "claimed" if met.held.mode == "exclusive" else "announced work on"
    where = " in another worktree" if met.elsewhere else ""
    left = _span(max(0, _left_s(scope, held)))
    return f"{title} {how} {plain(met.path)}{where} {age} ago{why}; it lapses in {left} unless renewed."


def _left_s(scope: Scope, held: Held) -> int:
    expiry = scope.tx.one("edits.second_of", timestamp=held.expires_at)
    return int(expiry[0]) - scope.now.second if expiry and isinstance(expiry[0], int) else 0


def _span(seconds: int) -> str:
    return f"{seconds} s" if seconds < 90 else f"{seconds // 60} min" if seconds < 5400 else f"{seconds // 3600} h"
