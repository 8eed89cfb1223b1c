"""The loop damper: two agents that answer each other for ever, or say the same again and again, are held back.

Counted is what passes between a sender and one other agent, or a sender and a channel; each has a row of its own.

- Hops: a direct message to an agent whose own direct message came after the last one to it, within ``QUIET_MS``,
  answers that one and is one hop further. Whoever says several things in a row makes no hop, and quiet ends the chain.
- Rate: so many messages a minute, wherever they lead.
- Repeats: the same content again within a while is not sent again; the answer is that of the first time.

The limits are far above what agents that think between two messages can reach (``comity.settings``), and they concern
those alone (``agents.agent_hosts``): programs may use the bus at full speed, with one text as often as they like. A
message that is held back is refused to its sender, told to its recipient once a while, an event, and shown by the
workspace's status.
"""

from __future__ import annotations

import json
from zlib import crc32

from comity.kernel.event import Event
from comity.kernel.named_tuple import NamedTuple
from comity.kernel.problem import Limited, Refused
from comity.kernel.quoting import called, word
from comity.kernel.scope import Row, Scope
from comity.kernel.text import compact
from comity.rooms.agents import agent_hosts
from comity.rooms.channels.model import Draft, Sent

QUIET_MS = 60_000
_MINUTE_MS = 60_000
_MOST_RECENT = 8
_CHANNEL = "#"


class Pair(NamedTuple):
    """What passed from one to another."""

    last_ms: int = 0
    hops: int = 0
    window_ms: int = 0
    sent: int = 0
    recent: str = "[]"
    damped_ms: int | None = None


class Passage(NamedTuple):
    """A message that may pass: what is to be noted once it is sent."""

    target: str
    pair: Pair


def enter(scope: Scope, draft: Draft, agent_id: str | None, channel: str | None) -> Passage | Sent | None:
    """Leave to send to an agent or a channel; the answer of the first time for a repetition. None: nothing is counted.

    Raises Refused, with Limited ``message.ping_pong`` or ``message.too_often``.
    """
    limits, now_ms, me = scope.actor.limits, scope.now.ms, scope.actor.agent_id
    if not any(limits) or agent_id == me or not agent_hosts.thinks(scope):
        return None
    target = agent_id or f"{_CHANNEL}{channel}"
    found = {row[0]: _pair(row) for row in scope.tx.all("channels.pairs", sender=me, target=target)}
    mine = found.get(me, Pair())
    repeated = _repeated(scope, draft, mine) if limits.repeat_s else None
    if repeated is not None:
        return repeated
    hops = _hops(mine, found.get(target), now_ms)
    window_ms, sent = (mine.window_ms, mine.sent) if now_ms - mine.window_ms < _MINUTE_MS else (now_ms, 0)
    if limits.hops and hops > limits.hops:
        raise _held_back(scope, target, mine, "message.ping_pong", f"{limits.hops} answers to and fro without a pause")
    if limits.per_minute and sent >= limits.per_minute:
        raise _held_back(scope, target, mine, "message.too_often", f"{limits.per_minute} messages within a minute")
    return Passage(target, mine._replace(last_ms=now_ms, hops=hops, window_ms=window_ms, sent=sent + 1))


def note(scope: Scope, passage: Passage, draft: Draft, sent: Sent) -> None:
    """It was sent. What some recipient refused may be repeated."""
    pair, now_ms = passage.pair, scope.now.ms
    recent = _recent(pair, now_ms - scope.actor.limits.repeat_s * 1000)
    if not sent.refused:
        recent.append([_mark(draft), now_ms, sent.message_id])
    scope.tx.run(
        "channels.note_pair",
        sender=scope.actor.agent_id,
        target=passage.target,
        last_ms=pair.last_ms,
        hops=pair.hops,
        window_ms=pair.window_ms,
        sent=pair.sent,
        recent=compact(recent[-_MOST_RECENT:]),
    )


def _hops(mine: Pair, theirs: Pair | None, now_ms: int) -> int:
    if theirs is None or now_ms - theirs.last_ms > QUIET_MS:
        return 0
    return theirs.hops + 1 if theirs.last_ms >= mine.last_ms else mine.hops


def _pair(row: Row) -> Pair:
    return Pair(*row[1:])


def _recent(pair: Pair, since_ms: int) -> list[list[object]]:
    try:
        listed = json.loads(pair.recent)
    except ValueError:
        return []
    return [one for one in listed if isinstance(one, list) and len(one) == 3 and one[1] > since_ms]


def _mark(draft: Draft) -> int:
    return crc32(f"{draft.level} {draft.type} {draft.content_type} {draft.ack_level} {draft.content}".encode())


def _repeated(scope: Scope, draft: Draft, mine: Pair) -> Sent | None:
    """The same content to the same recipients, a moment ago."""
    mark = _mark(draft)
    for known, _, message_id in reversed(_recent(mine, scope.now.ms - scope.actor.limits.repeat_s * 1000)):
        if known == mark:
            rows = scope.tx.all("channels.same_message", message_id=message_id, content=draft.content)
            if rows:
                return Sent(str(message_id), [row[0] for row in rows], [row[1] for row in rows], repeated=True)
    return None


def _held_back(scope: Scope, target: str, mine: Pair, reason: str, why: str) -> Refused:
    me, now_ms = scope.actor.agent_id, scope.now.ms
    scope.tx.run("channels.damp", sender=me, target=target, now_ms=now_ms, why=f"{reason}: {why}")
    detail: dict[str, object] = {"target": target, "why": why}
    channel = target.removeprefix(_CHANNEL) if target.startswith(_CHANNEL) else None
    scope.emit(Event("message.damped", agent_id=me, channel_id=channel, reason_code=reason, metadata=detail))
    fresh = mine.damped_ms is None or now_ms - mine.damped_ms > QUIET_MS
    wait_s = (QUIET_MS if reason == "message.ping_pong" else _MINUTE_MS) // 1000
    return Refused(
        Limited(
            reason,
            f"Held back: {why} between {called(me)} and {called(target) if channel is None else word(target)}.",
            f"Go on with your own work. Say what is settled in {wait_s} s or later, or ask the person.",
            target=target,
            tellRecipient=fresh and channel is None,
        )
    )
