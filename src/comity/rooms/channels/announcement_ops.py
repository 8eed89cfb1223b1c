"""Operations of a channel as a room where things are said: announce, and read what was said."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.channels import announcements, channel_log, membership
from comity.rooms.channels.model import (
    Announced,
    ChannelHistory,
    ChannelId,
    Content,
    HistoryLimit,
    Newest,
    Priority,
    Sequence,
)


@op("message.announce", effect="write", example={"content": "The parser is done. @agent-2 can go on with the printer."})
def announce_message(
    scope: Scope, *, content: Content, channel_id: ChannelId | None = None, priority: Priority = "advisory"
) -> Announced:
    """Say something to a channel; whoever is mentioned gets it as a direct message too.

    @name is an agent by its id or name, else the first living agent of that type; @@type is every agent of that type.
    An agent is of type claude when its id or name is claude or begins with claude-. Mentions reach agents outside the
    channel as well. Addresses such as ann@example.org and what stands in backticks are no mentions.
    """
    return announcements.announce(scope, membership.chosen(scope, channel_id), content, priority)


@op("message.history", effect="read", needs="session", example={"limit": 20, "newest": True})
def message_history(
    scope: Scope,
    *,
    channel_id: ChannelId | None = None,
    since_seq: Sequence = 0,
    limit: HistoryLimit = 50,
    newest: Newest = False,
) -> ChannelHistory:
    """Read what was said in a channel, oldest first, with numbers to go on from.

    Pass the answer's ``cursor`` as ``since_seq`` to get what came afterwards. With ``newest`` it is the newest messages
    after that, instead of the oldest. Only members may read, and whoever merely looks on; direct messages never show.
    """
    return channel_log.history(scope, membership.chosen(scope, channel_id), since_seq, limit, newest=newest)
