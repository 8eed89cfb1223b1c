"""What agents are told when one's change met another's: both sides, in a message of Comity itself."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.quoting import quoted, title
from comity.kernel.scope import Scope
from comity.rooms.channels import deliveries
from comity.rooms.edits.claim_words import span
from comity.rooms.turns import speaker
from comity.rooms.work.facts import Asked, Work

TTL_S = 86_400


def send(scope: Scope, agent_id: str, content: str) -> None:
    """A word of Comity itself; a queue that is full stops nothing."""
    scope = speaker.settle(scope)
    for recipient in deliveries.recipient(scope, agent_id):
        deliveries.notice(scope, recipient, content, "steering", TTL_S)


def collision(scope: Scope, asked: Asked, work: Work) -> None:
    """A change that was asked for long ago came down on what another had changed since."""
    detail: dict[str, object] = {"files": [work.file_path], "by": asked.agent_id}
    scope.emit(Event("edit.collided", agent_id=work.agent_id, reason_code="edit.stale", metadata=detail))
    age = span((scope.now.ms - asked.asked_ms) // 1000)
    what = quoted(work.file_path)
    kept = "Both versions are kept: comity rescue. Read the file before you go on."
    who, whose = title(asked.agent_id, asked.agent_name), title(work.agent_id, work.agent_name)
    send(scope, work.agent_id, f"{who} asked to edit {what} {age} ago, and the edit came after yours. {kept}")
    send(scope, asked.agent_id, f"You asked to edit {what} {age} ago; {whose} changed it before your edit came. {kept}")
