"""Claims of an agent that turned out to be another."""

from __future__ import annotations

from comity.kernel.scope import Scope


def hand_over(scope: Scope, old: str, new: str, session_id: str) -> None:
    """They are the other agent's."""
    for what in ("hand_over", "hand_over_details"):
        scope.tx.run(f"claims.{what}", old=old, new=new, session_id=session_id)
    scope.tx.run("claims.hand_over_line", old=old, new=new)
