"""The question after every edit whether there is anything to note: it loads next to nothing."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.edits.model import Pending
from comity.rooms.turns import speaker


@op("edit.pending", effect="read", example={})
def pending_edits(scope: Scope) -> Pending:
    """Count edits that were asked for and are not noted as made, and say who and what else is here."""
    if speaker.ends_elsewhere(scope):
        return Pending(0, others=False)
    scope = speaker.find(scope) or scope
    row = scope.tx.one("edits.pending", agent_id=scope.actor.agent_id)
    asked, others, works, line = row or (0, 0, 0, 0)
    return Pending(int(asked), bool(others), bool(works), bool(line))
