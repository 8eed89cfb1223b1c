"""What was said in a channel, as a log that a cursor follows.

A message's sequence number is the id of its first row in the event log: rows are committed in the order of their ids,
whoever wrote them, so whoever goes on after the last number misses nothing.
"""

from __future__ import annotations

from comity.kernel.problem import Forbidden
from comity.kernel.scope import Row, Scope
from comity.kernel.text import read_object
from comity.rooms.channels import membership, mentions
from comity.rooms.channels.model import PRIORITIES, ChannelHistory, ChannelMessage

MOST_CONTENT = 10_000  # characters of a message


def history(scope: Scope, channel: str, since_seq: int, limit: int, *, newest: bool) -> ChannelHistory:
    """Messages after a number, oldest first; the oldest ``limit`` of them, or the newest."""
    _require_reader(scope, channel)
    wanted = {"channel_id": channel, "since": since_seq, "limit": limit}
    rows = scope.tx.all("channels.history_newest" if newest else "channels.history_oldest", **wanted)
    listed = [_message(row) for row in (reversed(rows) if newest else rows)]
    last = scope.tx.one("channels.latest", channel_id=channel)
    return ChannelHistory(listed, listed[-1].seq if listed else since_seq, last[0] if last is not None else 0)


def _message(row: Row) -> ChannelMessage:
    seq, message_id, sent_by, content, priority, created_at = row
    sender = read_object(sent_by) or {}
    agent_id, name = sender.get("agent_id"), sender.get("name")
    text = str(content)
    return ChannelMessage(
        seq,
        message_id,
        agent_id if isinstance(agent_id, str) else "unknown",
        name if isinstance(name, str) else "unknown",
        text[:MOST_CONTENT],
        PRIORITIES[priority] if priority in (0, 1, 2, 3) else "unknown",
        created_at,
        [one.text for one in mentions.mentions(text)],
        len(text) > MOST_CONTENT,
    )


def _require_reader(scope: Scope, channel: str) -> None:
    actor = scope.actor
    if membership.readable(scope)(channel):
        return
    raise Forbidden(
        "MACP_ERR_SENDER_NOT_MEMBER",
        f"Agent {actor.agent_id} is not in channel {channel}: what was said there is for members."
        if actor.agent_id
        else f"What was said in channel {channel} is for members, and nobody knows who you are.",
        "Join the channel first.",
        agentId=actor.agent_id,
        sessionId=actor.session_id,
        channelId=channel,
    )
