"""Half a million messages of the past, as agents would have left them: ``write`` fills a file quickly.

The rows are what Comity itself writes for a send, a poll and an acknowledgement: a message, two or three
acknowledgement states, two audit rows. They go in by time, so that the indexes grow as they do in life; most are
acknowledged, some expired or were dropped.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import islice

import apsw

from bench.bare import ACK, AUDIT_OF, COUNTER, Values
from bench.ground import CHANNEL, CONTENT
from comity.kernel.clock import Instant, SystemClock
from comity.kernel.ids import TimeOrderedIds

_DAYS = 30
_CHUNK = 5000
_MESSAGE = (
    'INSERT INTO messages (delivery_id, message_id, channel_id, from_json, destination_type, "to", content_type,'
    " priority, type, content, sequence_number, context_json, ack_json, timestamp, ttl_seconds, state,"
    " destination_agent_id) VALUES (?, ?, ?, ?, ?, ?, 'text/plain', ?, 'discovery', ?, ?, ?,"
    ' \'{"request_level":"received"}\', ?, 3600, ?, ?)'
)
_ENDS = (("acknowledged", "message.ack", "MACP_OK"),) * 96 + (
    *((("expired", "message.expire", "MACP_ERR_TTL_EXPIRED"),) * 3),
    ("dropped", "message.drop", "MACP_ERR_QUEUE_FULL_DROP_OLDEST"),
)


def write(path: str, count: int, agents: list[str]) -> None:
    """``count`` finished deliveries among ``agents`` who are registered, over the last thirty days."""
    connection = apsw.Connection(path)
    for pragma in ("synchronous = OFF", "cache_size = -500000", "wal_autocheckpoint = 20000", "foreign_keys = OFF"):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    numbers = dict.fromkeys(agents, 1)
    rows = _past(count, agents, numbers)
    while chunk := list(islice(rows, _CHUNK)):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_MESSAGE, [message for message, _, _ in chunk])
        connection.executemany(ACK, [ack for _, acks, _ in chunk for ack in acks])
        connection.executemany(AUDIT_OF, [event for _, _, audit in chunk for event in audit])
        connection.execute("COMMIT")
    connection.executemany(COUNTER, list(numbers.items()))
    connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
    connection.close()


def _past(
    count: int, agents: list[str], numbers: dict[str, int]
) -> Iterator[tuple[Values, list[Values], list[Values]]]:
    """A message with its acknowledgement states and audit rows, by time; broadcasts and direct ones by turns."""
    chance, ids = random.Random(5), TimeOrderedIds()
    begin = SystemClock().now().ms - _DAYS * 86_400_000
    step = (_DAYS - 1) * 86_400_000 / count
    message_id = ""
    for place in range(count):
        at = begin + int(place * step)
        now = Instant.at(at).iso
        turn = place % (2 * len(agents))
        broadcast = turn < len(agents)
        if turn == 0 or not broadcast:
            message_id = ids.new(at)
        sender, taker = agents[place // len(agents) % len(agents)], agents[turn % len(agents)]
        channel = CHANNEL if broadcast else None
        delivery_id = ids.new(at)
        state, event, reason = _ENDS[chance.randrange(100)]
        content = CONTENT[: chance.randrange(40, len(CONTENT))]
        message = (
            *(delivery_id, message_id, channel),
            f'{{"agent_id":"{sender}","session_id":"session-{sender}","name":"{sender}"}}',
            *("channel" if broadcast else "agent", channel or taker, chance.randrange(4), content, numbers[taker]),
            f'{{"relevance_tags":[],"confidence":1,"source_references":[],"payload_byte_size":{len(content)}}}',
            *(now, state, taker),
        )
        numbers[taker] += 1
        acks: list[Values] = [(delivery_id, "queued", now)]
        if state == "acknowledged":
            acks += [(delivery_id, "received", now), (delivery_id, "processed", now)]
        audit: list[Values] = [
            ("message.send", message_id, delivery_id, taker, channel, "MACP_OK", "{}", now),
            (event, message_id, delivery_id, taker, channel, reason, "{}", now),
        ]
        yield message, acks, audit
