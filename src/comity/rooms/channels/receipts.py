"""Receipts: what became of a message, for each recipient. Nothing is claimed that did not happen.

``queued``: nobody fetched it. ``surfaced``: a poll handed it out. ``injected``: a hook wrote it into the agent's
context. ``seen``: the model has answered since. ``acknowledged``: the agent said so itself. ``expired`` and
``dropped``: it never will. A delivery whose time is over counts as expired even where nobody has marked it yet; one
that is urgent waits on, and is queued.
"""

from __future__ import annotations

from collections.abc import Callable

from comity.kernel.clock import Instant
from comity.kernel.scope import Actor, Row, Scope
from comity.rooms.channels import deliveries, membership
from comity.rooms.channels.model import Receipt, Receipts, SentMessage

_SCANNED = 5000  # of the newest deliveries, in which a sender's own are looked for


def listed(scope: Scope, message_id: str | None, sender: str | None, limit: int) -> Receipts:
    """One message, or the newest few of a sender; the newest first."""
    who = sender or scope.actor.agent_id
    over = deliveries.overdue(scope)
    if message_id is not None:
        rows = scope.tx.all("channels.receipts_of", message_id=message_id, **over)
    else:
        rows = scope.tx.all("channels.newest_receipts", sender=who, limit=limit, scanned=_SCANNED, **over)
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(str(row[0]), []).append(row)
    readable = membership.readable(scope)
    return Receipts([_message(scope.actor, readable, message, rows) for message, rows in found.items()])


def _message(reader: Actor, readable: Callable[[str], bool], message_id: str, rows: list[Row]) -> SentMessage:
    """One message; of one between others, or in a channel that is not for the reader, it shows no word."""
    _, timestamp, channel_id, sender, begins = rows[0][:5]
    between = {sender, *(row[6] for row in rows)}
    shown = reader.agent_id in between or (reader.oversees if channel_id is None else readable(channel_id))
    receipts = [_receipt(row) for row in rows]
    return SentMessage(message_id, timestamp, channel_id, str(sender or ""), str(begins) if shown else "", receipts)


def _receipt(row: Row) -> Receipt:
    delivery_id, agent_id, name, state, overdue, processed = row[5:11]
    injection_id, whole, written_ms, seen_ms = row[11:15]
    injected = bool(injection_id) and written_ms is not None
    seen = injected and seen_ms is not None
    if state in ("queued", "surfaced") and overdue:
        state = "expired"
    elif state == "acknowledged":
        state = "acknowledged" if processed or not seen else "seen"
    elif state in ("queued", "surfaced"):
        state = "seen" if seen else "injected" if injected else state
    return Receipt(
        str(delivery_id),
        str(agent_id),
        str(name or agent_id),
        str(state),
        Instant.at(written_ms).iso if injected else None,
        Instant.at(seen_ms).iso if seen else None,
        cut=injected and not whole,
    )
