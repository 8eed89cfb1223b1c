"""What hooks have told an agent that turned out to be another."""

from __future__ import annotations

from comity.kernel.scope import Scope


def hand_over(scope: Scope, old: str, new: str, session_id: str) -> None:  # noqa: ARG001 (the same in every room)
    """It was told to the other agent."""
    scope.tx.run("turns.hand_over", new=new)
