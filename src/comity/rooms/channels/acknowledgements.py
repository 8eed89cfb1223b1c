"""Acknowledging deliveries and reading long ones in pieces (MACP v1.0 section 2.9). Only one's own."""

from __future__ import annotations

from comity.kernel.event import Event
from comity.kernel.problem import Conflict, NotFound
from comity.kernel.scope import Scope
from comity.rooms.agents.sessions import require_session
from comity.rooms.channels.model import Acknowledged, Piece


def acknowledge(scope: Scope, delivery_id: str) -> Acknowledged:
    """Mark a delivery as processed. Repeating it changes nothing; a late one counts until a poll expired it."""
    tx, (agent_id, session_id) = scope.tx, scope.actor[:2]
    row = tx.one("channels.delivery", delivery_id=delivery_id, agent_id=agent_id, session_id=session_id)
    if row is None:
        require_session(scope)
        raise _not_found(delivery_id)
    state, message_id, channel_id = row
    if state == "acknowledged":
        return Acknowledged(delivery_id, state)
    if not tx.run("channels.acknowledge", delivery_id=delivery_id):
        raise Conflict(
            "MACP_ERR_DELIVERY_NOT_ACKABLE",
            f"Delivery {delivery_id} is {state}.",
            "Nothing is left to do for it: expired and dropped are final.",
            deliveryId=delivery_id,
            state=state,
        )
    tx.run("channels.insert_ack", delivery_id=delivery_id, level="processed", now=scope.now.iso)
    scope.emit(Event("message.ack", message_id, delivery_id, agent_id, channel_id))
    return Acknowledged(delivery_id, "acknowledged")


def read(scope: Scope, delivery_id: str, offset: int, length: int) -> Piece:
    """A piece of a delivery's content, whatever its state."""
    row = scope.tx.one(
        "channels.piece",
        delivery_id=delivery_id,
        agent_id=scope.actor.agent_id,
        offset=offset,
        length=length,
    )
    if row is None:
        raise _not_found(delivery_id)
    content, characters, size, state = row
    end = offset + len(content)
    return Piece(delivery_id, content, offset, end if end < characters else None, characters, size, state)


def _not_found(delivery_id: str) -> NotFound:
    return NotFound(
        "MACP_ERR_DELIVERY_NOT_FOUND",
        f"This agent has no delivery {delivery_id}.",
        "Use a deliveryId from this agent's own poll, not a messageId.",
        deliveryId=delivery_id,
    )
