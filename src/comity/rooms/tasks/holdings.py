"""Tasks of an agent that turned out to be another."""

from __future__ import annotations

from comity.kernel.scope import Scope


def hand_over(scope: Scope, old: str, new: str, session_id: str) -> None:
    """They are the other agent's."""
    scope.tx.run("tasks.hand_over", old=old, new=new, session_id=session_id)
