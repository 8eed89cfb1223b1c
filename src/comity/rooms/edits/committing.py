"""The guard of git's own hooks: what living peers hold exclusively is not committed, whoever commits."""

from __future__ import annotations

from comity.kernel.scope import Scope
from comity.rooms.agents import identity, presence
from comity.rooms.claims.finding import Met
from comity.rooms.claims.paths import Base, Target
from comity.rooms.edits.guarding import barring_others, refused
from comity.rooms.edits.model import Verdict
from comity.rooms.edits.sparing import bypassed
from comity.rooms.edits.sweeping import BYPASS, BYPASS_REASON
from comity.rooms.edits.telling import MOST_TOLD, says
from comity.rooms.lifecycle import departure
from comity.rooms.turns.quoting import name


def barring(scope: Scope, base: Base, targets: list[Target]) -> list[Met]:
    """Claims of others: an agent's parents and subagents count as the agent, since git cannot tell them apart."""
    agent_id = scope.actor.agent_id
    below = [str(row[0]) for row in scope.tx.all("edits.descendants", agent_id=agent_id)]
    family = {agent_id, *identity.ancestors(scope, agent_id), *below}
    return barring_others(scope, base, targets, family)


def check(scope: Scope, base: Base, targets: list[Target], operation: str, reason: str) -> Verdict:
    """The verdict, once the dead are reaped."""
    if presence.dead(scope):
        departure.reap(scope)
    met = barring(scope, base, targets)
    if not met:
        return Verdict(allowed=True)
    if reason:
        holders = tuple(dict.fromkeys(one.held.agent_id for one in met))
        bypassed(scope, operation, reason, holders, tuple(sorted({path for one in met for path in one.files})))
        return Verdict(allowed=True)
    verdict = refused(scope, met, "git.refused", operation)
    told = " ".join(says(scope, one) for one in met[:MOST_TOLD])
    files = sorted({path for one in met for path in one.files})
    hint = (
        f"Take them out of it (git restore --staged {' '.join(files[:5])}), or ask {name(verdict.holders[0])} to "
        f"release them. {BYPASS}=1 with {BYPASS_REASON} lets it through."
    )
    return verdict._replace(refusal=f"{told}\n{hint}")
