"""Two ways to filter the log decide the same: the statement that reads it, and the one that listeners share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import apsw
from hypothesis import given, settings
from hypothesis import strategies as st

from comity.rooms.channels.model import Level
from comity.rooms.lifecycle.history import EventFilter
from comity.testing import World
from tests.rounds import rounds

Row = tuple[str, str | None, str | None, Level | None]
AGENTS, CHANNELS = ("ann", "bob"), ("main", "side")
PRIORITIES: tuple[Level, ...] = (0, 1, 2, 3)
_FEW = "ab.*?[]^-\\\né"
_TYPES = st.sampled_from(["task.claimed", "message.send", "a\0b"]) | st.text(_FEW, max_size=4)
_WANTED = st.sampled_from(["task.*", "*", "message.send", "?ask.*", "[t]*", "a"]) | st.text(_FEW, max_size=3)


def _mostly(value: object, others: Sequence[object]) -> st.SearchStrategy[Any]:
    return st.sampled_from([*[value] * 2 * len(others), *others])


ROWS = st.lists(
    st.tuples(
        _TYPES,
        st.sampled_from([*AGENTS, None]),
        st.sampled_from([*CHANNELS, None]),
        st.sampled_from([0, 1, 2, 3, None]),
    ),
    max_size=12,
)
FILTERS = st.lists(
    st.builds(
        EventFilter,
        st.none() | st.lists(_WANTED, max_size=3).map(tuple),
        _mostly(None, AGENTS),
        _mostly(None, CHANNELS),
        _mostly(0, [1, 2, 3]),
    ),
    min_size=1,
    max_size=8,
)


def test_the_statement_and_what_listeners_share_want_the_same_events(world: World) -> None:
    ann, _ = world.agent("ann"), world.agent("bob")
    urgent = {
        level: ann.message.send(destination_agent_id="bob", content=f"{level}", priority=level).delivery_ids[0]
        for level in PRIORITIES
    }
    connection = apsw.Connection(world.path)

    @settings(max_examples=rounds(150, 2000), deadline=None)
    @given(rows=ROWS, filters=FILTERS, newest=st.integers(1, 12))
    def same(rows: list[Row], filters: list[EventFilter], newest: int) -> None:
        with connection:
            connection.execute("DELETE FROM audit_log")
            connection.executemany(
                "INSERT INTO audit_log (event_type, agent_id, channel_id, delivery_id, reason_code, timestamp, "
                "metadata_json) VALUES (?, ?, ?, ?, 'MACP_OK', '2026-01-01T00:00:00.000Z', '{}')",
                [(*about, None if level is None else urgent[level]) for *about, level in rows],
            )
        written = ann.event.list().events
        for wanted in filters:
            admitted = [event.id for event in written if wanted.admits(event)]
            assert [event.id for event in ann.call("event.list", wanted._asdict()).events] == admitted
            last = ann.call("event.list", {**wanted._asdict(), "newest": newest}).events
            assert [event.id for event in last] == admitted[-newest:]

    try:
        same()
    finally:
        connection.close()
