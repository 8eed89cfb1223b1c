"""Hooks that were heard: a note for each agent, by which it is told from one that has only a server."""

from __future__ import annotations

from comity.kernel.scope import Scope

AGAIN_MS = 600_000  # how old the note may become


def note(scope: Scope) -> None:
    """A hook speaks for the actor. Written down now and then only."""
    agent_id, now_ms = scope.actor.agent_id, scope.now.ms
    if scope.tx.one("agents.hook_heard", agent_id=agent_id, since_ms=now_ms - AGAIN_MS) is None:
        scope.tx.run("agents.note_hook", agent_id=agent_id, now_ms=now_ms)
