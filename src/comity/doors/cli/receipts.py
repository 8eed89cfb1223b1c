"""``comity receipts``: what became of messages. It registers nothing and makes no database."""

from __future__ import annotations

from comity.doors.cli.command import Values, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Column, Screen, clock
from comity.rooms.channels.model import Receipt, Receipts

_STYLES = {"seen": "green", "acknowledged": "green", "expired": "red", "dropped": "red"}


def _receipts(invocation: Invocation, values: Values) -> Receipts:
    invocation.require_database()
    found: Receipts = invocation.call("receipt.list", **values)
    return found


def _show(screen: Screen, found: Receipts) -> None:
    if not found.messages:
        screen.say("No such message. Name another sender with --from, or a message by its id.")
        return
    columns = (
        Column("Sent"),
        Column("Message", flexible=True),
        Column("To", flexible=True),
        Column("State"),
        Column("When"),
    )
    rows = []
    for message in found.messages:
        sent, begins = clock(message.timestamp), message.excerpt
        for receipt in message.receipts:
            state = receipt.state + (" in part" if receipt.cut else "")
            rows.append((sent, begins, receipt.agent_name, (state, _STYLES.get(receipt.state, "")), _when(receipt)))
            sent, begins = "", ""
    screen.table(columns, rows)


def _when(receipt: Receipt) -> str:
    at = receipt.seen_at if receipt.state == "seen" else receipt.injected_at if receipt.state == "injected" else None
    return clock(at) if at else ""


receipts = command(
    _receipts,
    show=_show,
    ops=("receipt.list",),
    positional=("message_id",),
    flags={"sender_id": "--from"},
    example="comity receipts --from claude-1a2b",
)
