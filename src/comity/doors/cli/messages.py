"""Commands of an agent: send, poll, read, acknowledge, join and leave."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from comity.doors.cli import clean
from comity.doors.cli.catalog import STDIN
from comity.doors.cli.command import Option, Values, answer, command
from comity.doors.cli.invocation import Invocation
from comity.doors.cli.screen import Screen, clock, count, priority
from comity.doors.cli.urgency import MIN_PRIORITY, level
from comity.kernel.problem import Invalid
from comity.rooms.channels.model import MAX_CONTENT, Delivery, Departure, Piece, Polled, Sent
from comity.rooms.lifecycle.model import Ended

_PIECE = 100_000  # characters, the operation's largest


def _send(invocation: Invocation, values: Values) -> Sent:
    to, channel = values.pop("to", None), values.pop("channel", None)
    if to is not None and channel is not None:
        raise Invalid("send.two_targets", "A message goes to an agent or to a channel.", "Give --to or --channel.")
    values["content"] = _content(values["content"])
    agents = invocation.take_part()
    if to is not None:
        sent: Sent = invocation.call("message.send", destination_agent_id=addressee(to, agents), **values)
        return sent
    target = channel or invocation.settings.channel
    invocation.join(target, agents)
    broadcast: Sent = invocation.call("message.broadcast", channel_id=target, **values)
    return broadcast


def addressee(named: str, agents: Sequence[Any]) -> str:
    """The id of the active agent with this id, else name, else beginning of either; ``named`` itself when none has it.

    Raises Invalid ``agent.ambiguous``.
    """
    tests: tuple[Callable[[Any], bool], ...] = (
        lambda agent: agent.agent_id == named,
        lambda agent: agent.name == named,
        lambda agent: agent.agent_id.startswith(named) or agent.name.startswith(named),
    )
    for test in tests:
        found = [agent.agent_id for agent in agents if test(agent)]
        if len(found) == 1:
            return str(found[0])
        if found:
            shown = ", ".join(found[:10])
            raise Invalid(
                "agent.ambiguous",
                f"{named!r} may be any of {len(found)} agents.",
                f"Name one of: {shown}.",
                candidates=found,
            )
    return named


def _content(given: str) -> str:
    """The content as given, or what standard input holds; its last line end is dropped."""
    if given != STDIN:
        return given
    most = MAX_CONTENT * 4 + 2  # bytes that can still be so many characters and a line end
    data = sys.stdin.buffer.read(most + 1)
    if len(data) > most:
        raise Invalid(
            "content.too_long",
            f"A message has at most {MAX_CONTENT:,} characters; this is longer.",
            "Put it into a file of the repository and send its path.",
        )
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Invalid(
            "content.not_text",
            f"Standard input is not UTF-8 text (byte {error.start}).",
            "Send text; say where a file is instead of sending it.",
        ) from None
    return text.removesuffix("\n").removesuffix("\r")


def _show_sent(screen: Screen, sent: Sent) -> None:
    names = ", ".join(sent.recipient_agent_ids)
    if names:
        screen.say(("Sent", "green"), f" to {names}.")
    else:
        screen.say(("Sent to nobody:", "yellow"), " no other agent is in the channel.")
    for one in sent.waiting:
        woken = f", or is woken by {one.woken_by}" if one.woken_by else ""
        told = f" {one.agent_id} is {one.state} since {clock(one.since)} and sees it at {one.seen_at}{woken}."
        screen.say(("Not now:", "yellow"), told, f" It waits until {clock(one.until)}.")
    for refusal in sent.refused:
        screen.say(("Refused", "bold red"), f" for {refusal.agent_id}: {refusal.message} ({refusal.reason_code})")


send = command(
    _send,
    show=_show_sent,
    ops=("message.broadcast",),
    positional=("content",),
    omit=("channel_id",),
    flags={
        "relevance_tags": "--tag",
        "source_references": "--source",
        "ttl_seconds": "--ttl",
    },
    options=(
        Option("to", str | None, "To one agent: its id, its name, or a beginning of one.", default=None),
        Option("channel", str | None, "To this channel instead of the default one.", default=None),
    ),
    doc="""Send a message to a channel, or to one agent.

    CONTENT of - reads standard input; text that begins with a hyphen goes after --. Each recipient gets a delivery of
    its own; one whose queue is full is named and stops nobody else.
    """,
    example="comity send 'I am editing src/parser.py' --priority steering",
)


def _poll(invocation: Invocation, values: Values) -> Polled | None:
    values["min_priority"] = level(values.get("min_priority"))
    acknowledge = values.pop("ack", False)
    invocation.take_part()
    polled: Polled = invocation.call("message.poll", **values)
    if not acknowledge:
        return polled
    answer(polled, _show_polled, invocation.json)
    sys.stdout.flush()  # what could not be shown is not acknowledged
    for delivery in polled.deliveries:
        if not delivery.truncated:
            invocation.call("message.ack", delivery_id=delivery.delivery_id)
    return None


def _show_polled(screen: Screen, polled: Polled) -> None:
    if not polled.deliveries:
        screen.say("Nothing is pending.")
    for number, delivery in enumerate(polled.deliveries):
        if number:
            screen.say("")
        _show_delivery(screen, delivery)
    if polled.expired_delivery_ids:
        screen.say((f"{count(len(polled.expired_delivery_ids), 'message')} expired unread.", "yellow"))
    if polled.pruned_delivery_ids:
        left = count(len(polled.pruned_delivery_ids), "message")
        screen.say((f"{left} left out to keep to the byte budget: acknowledge these, then poll again.", "yellow"))
    for malformed in polled.malformed:
        screen.say((f"Set aside {malformed.delivery_id}: {malformed.why}", "red"))


def _show_delivery(screen: Screen, delivery: Delivery) -> None:
    where = f"  #{delivery.channel_id}" if delivery.channel_id else ""
    who = _name(delivery.from_.name, delivery.from_.agent_id)
    at = f"  {clock(delivery.timestamp)}{', late' if delivery.late else ''}"
    screen.say(priority(delivery.priority), "  ", (who, "bold"), where, (at, "dim"))
    screen.say(delivery.content, indent=2)
    if delivery.truncated:
        screen.say((f"… an excerpt of {delivery.full_size_bytes:,} bytes: comity read", "yellow"), indent=2)
    screen.say((delivery.delivery_id, "dim"), indent=2)


def _name(name: str, agent_id: str) -> str:
    return clean.line(agent_id if name in ("", agent_id) else f"{name} ({agent_id})")


poll = command(
    _poll,
    show=_show_polled,
    ops=("message.poll",),
    omit=("apply_budget_pruning",),
    options=(
        MIN_PRIORITY,
        Option("ack", bool, "Acknowledge what was shown, but excerpts.", default=False),
    ),
    example="comity poll --wait-ms 30000 --ack",
)


def _ack(invocation: Invocation, values: Values) -> Any:
    invocation.require_database()
    invocation.take_part()
    return invocation.call("message.ack", **values)


ack = command(
    _ack,
    show=lambda screen, done: screen.say(("Acknowledged", "green"), f" {done.delivery_id}."),
    ops=("message.ack",),
    positional=("delivery_id",),
    example="comity ack 0190d3f0-0000-7000-8000-000000000000",
)


def _read(invocation: Invocation, values: Values) -> Piece:
    invocation.require_database()
    invocation.take_part()
    if "offset" in values or "length" in values:
        piece: Piece = invocation.call("message.read", **values)
        return piece
    first: Piece = invocation.call("message.read", length=_PIECE, **values)
    parts, following = [first.content], first.next_offset
    while following is not None:
        piece = invocation.call("message.read", length=_PIECE, offset=following, **values)
        parts.append(piece.content)
        following = piece.next_offset
    return first._replace(content="".join(parts), next_offset=None)


def _show_piece(screen: Screen, piece: Piece) -> None:
    screen.say(piece.content)
    if piece.next_offset is not None:
        screen.say((f"… more from --offset {piece.next_offset} (of {piece.total_characters:,})", "yellow"))


read = command(
    _read,
    show=_show_piece,
    ops=("message.read",),
    positional=("delivery_id",),
    doc="""Read one delivery's whole content.

    With --offset or --length only that piece of it, in characters.
    """,
    example="comity read 0190d3f0-0000-7000-8000-000000000000",
)


def _join(invocation: Invocation, values: Values) -> Any:
    invocation.take_part()
    return invocation.call("channel.join", **values)


def _show_membership(screen: Screen, joined: Any) -> None:
    peers = ", ".join(joined.peer_agent_ids) or "nobody else yet"
    screen.say(("Joined", "green"), f" #{joined.channel_id}: {peers}.")


join = command(
    _join,
    show=_show_membership,
    ops=("channel.join",),
    positional=("channel_id",),
    example="comity join backend",
)


def _leave(invocation: Invocation, values: Values) -> Ended | Departure:
    invocation.require_database()
    channel = values.get("channel_id")
    if channel is None:
        if invocation.here():
            invocation.take_part()
        ended: Ended = invocation.call("session.end", **values)
        return ended
    invocation.take_part()
    departure: Departure = invocation.call("channel.leave", channel_id=channel)
    return departure


def _show_left(screen: Screen, left: Ended | Departure) -> None:
    if isinstance(left, Ended):
        screen.say(f"{left.agent_id} has left. Pending messages wait for its next session.")
    else:
        screen.say(f"Left #{left.channel_id}." if left.left else f"Was not in #{left.channel_id}.")


leave = command(
    _leave,
    show=_show_left,
    ops=("session.end", "channel.leave"),
    positional=("channel_id",),
    doc="""Leave a channel; without one, leave all and end the agent's session.

    Pending messages stay in the queue for the agent's next session.
    """,
    example="comity leave backend",
)
