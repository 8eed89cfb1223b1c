"""Messages that wait for an agent that turned out to be another."""

from __future__ import annotations

from comity.kernel.scope import Scope


def hand_over(scope: Scope, old: str, new: str, session_id: str) -> None:  # noqa: ARG001 (the same in every room)
    """They wait for the other agent, after its own; of what both got, one is enough."""
    tx = scope.tx
    tx.run("channels.drop_doubles", old=old, new=new)
    rows = tx.all("channels.waiting_for", agent_id=old)
    if not rows:
        return
    first = tx.one("channels.next_sequence", agent_id=new)
    sequence = first[0] if first is not None and isinstance(first[0], int) else 1
    for place, (delivery_id,) in enumerate(rows):
        tx.run("channels.hand_over", delivery_id=delivery_id, old=old, new=new, sequence=sequence + place)
    tx.run("channels.set_sequence", agent_id=new, next=sequence + len(rows))
    scope.wakes.add(new)
