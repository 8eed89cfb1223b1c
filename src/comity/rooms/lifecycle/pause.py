"""A pause of the whole workspace: no new work is begun or changed, while everybody may read, talk and let go.

There is at most one. It lasts until somebody resumes, or until its time is over, which no program has to notice.
What a pause holds back, each operation says itself (``pausable``); the check stands in the transaction of the change.
"""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.problem import Conflict
from comity.kernel.quoting import quoted, title, word
from comity.kernel.scope import Scope
from comity.rooms.lifecycle import awareness
from comity.rooms.lifecycle.model import Pause, Paused, Resumed

_MINUTE_MS = 60_000
_MOST_REASON = 300  # characters of it in a refusal


def told(scope: Scope) -> list[str]:
    """A sentence about the pause that lasts, if one does."""
    pause = awareness.pause(scope)
    return [] if pause is None else [_sentence(pause)]


def _sentence(pause: Pause) -> str:
    why = f": {quoted(pause.reason, _MOST_REASON)}" if pause.reason else ", without a reason"
    until = f" It ends by itself at {word(pause.until)}." if pause.until else ""
    return f"{title(pause.agent_id, pause.agent_name)} paused this workspace at {word(pause.since)}{why}.{until}"


def refusal(scope: Scope) -> Conflict:
    """Why an operation is refused now, and what to do meanwhile."""
    pause = awareness.pause(scope)
    assert pause is not None, "the workspace was paused a moment ago"
    return Conflict(
        "workspace.paused",
        _sentence(pause),
        "Nothing was changed. Read, send messages and release what you hold; try again once it goes on."
        " `workspace.resume` ends the pause, and is for whoever may say so.",
        agentId=pause.agent_id,
        agentName=pause.agent_name,
        why=pause.reason,
        since=pause.since,
        until=pause.until,
    )


def require_none(scope: Scope) -> None:
    """Conflict ``workspace.paused`` while the workspace is paused."""
    if awareness.pause(scope) is not None:
        raise refusal(scope)


def begin(scope: Scope, reason: str, minutes: int | None) -> Paused:
    """Pause from now on; a pause that lasts already is replaced."""
    before = awareness.pause(scope)
    actor, now_ms = scope.actor, scope.now.ms
    scope.tx.run(
        "lifecycle.begin_pause",
        agent_id=actor.agent_id,
        agent_name=actor.name or actor.agent_id,
        reason=reason.strip(),
        since_ms=now_ms,
        until_ms=None if minutes is None else now_ms + minutes * _MINUTE_MS,
    )
    pause = awareness.pause(scope)
    assert pause is not None, "it was just written"
    _tell(scope, "workspace.paused", pause)
    return Paused(pause, before)


def end(scope: Scope) -> Resumed:
    """Go on. Nothing happens when there is no pause."""
    pause = awareness.pause(scope)
    scope.tx.run("lifecycle.end_pause")
    if pause is not None:
        _tell(scope, "workspace.resumed", pause)
    return Resumed(pause is not None, pause)


def _tell(scope: Scope, event_type: str, pause: Pause) -> None:
    detail: dict[str, object] = {"paused_by": pause.agent_id, "reason": pause.reason, "since": pause.since}
    if pause.until:
        detail["until"] = pause.until
    scope.emit(Event(event_type, agent_id=scope.actor.agent_id or None, metadata=detail))
