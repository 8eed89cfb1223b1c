"""A refusal needs no write: where the file is locked, full or read-only, what is known to be held is refused as well.

Then nothing is freed, claimed or recorded, and who is asking is what has been noted of its session so far.
"""

from __future__ import annotations

from comity.kernel.problem import Unavailable
from comity.kernel.scope import Scope
from comity.kernel.steps import Steps, Work
from comity.rooms.agents import identity, presence
from comity.rooms.claims.overlaps import Met
from comity.rooms.edits.model import Verdict
from comity.rooms.turns import speaker

_GONE = "store.replaced"  # then what can be read is not what holds


def or_else(steps: Steps, act: Work, known: Work) -> Verdict:
    """What ``act`` decides in a write; where nothing can be written, what ``known`` refuses by reading, if anything.

    Raises Unavailable when nothing can be written and nothing is known that refuses.
    """
    try:
        decided: Verdict = steps.write(act)
    except Unavailable as away:
        refusal: Verdict | None = None if away.reason == _GONE else steps.read(known)
        if refusal is None:
            raise
        return refusal._replace(recorded=False)
    return decided


def family(scope: Scope) -> tuple[Scope, set[str]]:
    """The same transaction for whoever is asking, as far as that is known, and whose claims keep it from nothing."""
    host = scope.actor.host
    scope = speaker.find(scope) or scope
    mine = identity.kin(scope, scope.actor.agent_id)
    return scope, mine | (identity.noted(scope, host) if host is not None else set())


def living(scope: Scope, met: list[Met]) -> list[Met]:
    """Without the claims of sessions that are certainly dead."""
    gone = {(one.agent_id, one.session_id) for one in presence.dead(scope)} if met else set()
    return [one for one in met if (one.held.agent_id, one.held.session_id) not in gone]
