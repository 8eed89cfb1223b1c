"""The end of an attempt: written down once, and told to whom the branches are."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.quoting import quoted
from comity.kernel.scope import Scope
from comity.rooms.channels import deliveries
from comity.rooms.integration import rows
from comity.rooms.integration.model import Integration

TTL_S = 7 * 86_400
_TOLD = 600


def end(scope: Scope, ended: Integration) -> None:
    """Write down how an attempt ended, and tell the owners of its branches; nothing where that was done."""
    if not rows.end(scope, ended):
        return
    about: dict[str, object] = {
        "integration": ended.integration_id,
        "base": ended.base,
        "state": ended.state,
        "branches": {one.branch: one.fate for one in ended.outcomes},
    }
    subjects = (("integration", ended.integration_id),)
    scope.emit(Event("integration.ended", agent_id=scope.actor.agent_id, metadata=about, subjects=subjects))
    for one in ended.outcomes:
        text = _TEXTS.get(one.fate)
        if text and one.agent_id and one.agent_id != scope.actor.agent_id:
            urgency = "info" if one.fate == "landed" else "steering"
            why = f" {quoted(one.told, _TOLD)}" if one.told else ""
            files = f" ({', '.join(map(quoted, one.files[:5]))})" if one.files else ""
            told = text.format(branch=quoted(one.branch), base=quoted(ended.base), files=files, why=why)
            deliveries.tell(scope, one.agent_id, told, urgency, TTL_S)


_TEXTS = {
    "landed": "Your branch {branch} has landed on {base}.",
    "broke": "The check fails with your branch {branch}, and passes without it; it did not land on {base}.{why}",
    "conflict": "Your branch {branch} does not merge into {base}{files}; bring it up to date.",
}
