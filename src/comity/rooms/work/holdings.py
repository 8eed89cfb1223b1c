"""Work of an agent that turned out to be another."""

from __future__ import annotations

from comity.kernel.scope import Scope


def hand_over(scope: Scope, old: str, new: str, session_id: str) -> None:  # noqa: ARG001 (every room's shape)
    """It is the other agent's."""
    for what in ("hand_over", "hand_over_asked"):
        scope.tx.run(f"work.{what}", old=old, new=new)
