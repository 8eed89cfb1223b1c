"""The operation of agents that read without acknowledging."""

from __future__ import annotations

from comity.kernel.op import op
from comity.kernel.scope import Scope
from comity.rooms.channels import catch_up, membership
from comity.rooms.channels.model import CaughtUp, ChannelId, HistoryLimit, Newest, Sequence


def _look(
    scope: Scope, *, channel_id: str | None = None, since_seq: int = 0, limit: int = 50, newest: bool = False
) -> CaughtUp | None:
    return catch_up.look(scope, membership.chosen(scope, channel_id), since_seq, limit, newest=newest)


@op("message.catch_up", effect="write", needs="session", example={"limit": 20, "newest": True}, peek=_look)
def catch_up_messages(
    scope: Scope,
    *,
    channel_id: ChannelId | None = None,
    since_seq: Sequence = 0,
    limit: HistoryLimit = 50,
    newest: Newest = False,
) -> CaughtUp:
    """Read what was said in a channel and to you alone, and take it as read.

    As message.history; ``direct`` has what others sent only to you, the urgent first. A channel message is acknowledged
    as soon as it is listed, a direct one by the next call.
    """
    return catch_up.catch_up(scope, membership.chosen(scope, channel_id), since_seq, limit, newest=newest)
