"""The choice of a current task by an agent that turned out to be another."""

from __future__ import annotations

from comity.kernel.scope import Scope


def hand_over(scope: Scope, old: str, new: str, session_id: str) -> None:  # noqa: ARG001 (the same in every room)
    """It is the other agent's, unless that one has chosen."""
    scope.tx.run("plans.hand_over", old=old, new=new)
    scope.tx.run("plans.forget_choice", agent_id=old)
