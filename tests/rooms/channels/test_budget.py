"""Budget pruning (MACP v1.0 section 2.8), compared with a plain reimplementation, and what goes beyond it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comity import Workspace
from comity.kernel.clock import Instant
from comity.rooms.channels import budget
from comity.rooms.channels.model import AckRequest, Context, Delivery, Sender
from comity.testing import World
from tests.original import greedy
from tests.rooms.channels.rows import put
from tests.rounds import rounds
from tests.wire_format import audit, rows
from tests.worlds import fresh

NOW_MS = 1_767_225_600_000
TAGS = st.lists(st.sampled_from(["a", "A", "b", "c"]), max_size=4)


def candidate(row: dict[str, Any]) -> budget.Candidate:
    """A row of the reimplementation as the code under test wants it."""
    context = Context(row["context"]["relevance_tags"], 1, [], row["context"]["payload_byte_size"])
    delivery = Delivery(
        delivery_id=str(row["sequence"]),
        message_id="m",
        channel_id=None,
        from_=Sender("a", "s", "n"),
        destination_type="agent",
        to="b",
        content_type="text/plain",
        priority=row["priority"],
        type="discovery",
        content="",
        sequence_number=row["sequence"],
        context=context,
        ack=AckRequest("received"),
        timestamp="",
        ttl_seconds=row["ttl"],
        state="queued",
        destination_agent_id="b",
    )
    return budget.Candidate(delivery, row["at_ms"])


@st.composite
def mailboxes(draw: st.DrawFn, largest: int) -> list[dict[str, Any]]:
    """Pending rows in select order, none of them larger than ``largest`` bytes."""
    found = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "priority": st.integers(0, 3),
                    "at_ms": st.integers(NOW_MS - 4_000_000, NOW_MS + 5_000),
                    "ttl": st.sampled_from([1, 60, 3600, 86_400]),
                    "context": st.fixed_dictionaries(
                        {"relevance_tags": TAGS, "payload_byte_size": st.integers(0, largest)}
                    ),
                }
            ),
            max_size=12,
        )
    )
    for sequence, row in enumerate(found):
        row["sequence"] = sequence
    return sorted(found, key=lambda row: (-row["priority"], row["sequence"]))


@settings(max_examples=rounds(100, 300), deadline=None, derandomize=True)
@given(rows=mailboxes(largest=100), limit=st.integers(100, 600), tags=TAGS)
def test_what_fits_is_what_the_plain_rules_say(rows: list[dict[str, Any]], limit: int, tags: list[str]) -> None:
    chosen = budget.select([candidate(row) for row in rows], 1000, limit, tags, Instant.at(NOW_MS))
    fitting, pruned = greedy(rows, limit, tags, NOW_MS)
    assert [d.sequence_number for d in chosen.whole] == [row["sequence"] for row in fitting]
    assert [d.sequence_number for d in chosen.pruned] == [row["sequence"] for row in pruned]
    assert chosen.excerpts == []


@settings(max_examples=rounds(100, 300), deadline=None, derandomize=True)
@given(rows=mailboxes(largest=400), limit=st.integers(1, 600), count=st.integers(1, 12), tags=TAGS)
def test_what_always_holds(rows: list[dict[str, Any]], limit: int, count: int, tags: list[str]) -> None:
    chosen = budget.select([candidate(row) for row in rows], count, limit, tags, Instant.at(NOW_MS))
    excerpts = [delivery for delivery, _ in chosen.excerpts]
    out = [d.sequence_number for d in (*chosen.whole, *excerpts)]
    assert len(out) == len(set(out)) <= count
    assert bool(out) == bool(rows), "whoever has mail gets some of it"
    assert len(excerpts) <= max(1, count // 2)
    assert all(d.priority < 3 and d.context.payload_byte_size > limit for d in excerpts)
    left = limit - sum(d.context.payload_byte_size for d in chosen.whole if d.priority == 3)
    others = [d.context.payload_byte_size for d in chosen.whole if d.priority < 3]
    assert sum(others) <= max(left, 0)
    interrupts = [row["sequence"] for row in rows if row["priority"] == 3]
    taken = [d.sequence_number for d in chosen.whole if d.priority == 3]
    assert taken == interrupts[: len(taken)]
    if taken != interrupts:
        assert len(chosen.whole) >= count - count // 2
        assert all(d.priority == 3 for d in chosen.whole)
    assert {d.sequence_number for d in chosen.pruned}.isdisjoint(d.sequence_number for d in chosen.whole)


def utility(priority: int, tags: list[str], age_s: float, mine: list[str]) -> float:
    row = {
        "priority": priority,
        "sequence": 1,
        "at_ms": NOW_MS - round(age_s * 1000),
        "ttl": 100,
        "context": {"relevance_tags": tags, "payload_byte_size": 1},
    }
    return budget.utility(candidate(row), frozenset(mine), Instant.at(NOW_MS))


@pytest.mark.parametrize(
    ("priority", "tags", "age_s", "mine", "wanted"),
    [
        (3, [], 0, [], 0.7 * (3 / 3.0) + 0.2 * 1 + 0.1 * 1),
        (0, ["a"], 0, [], 0.7 * 0 + 0.2 * 0 + 0.1 * 1),
        (0, [], 0, ["a"], 0.1),
        (2, ["a", "a", "b"], 25, ["b", "c"], 0.7 * (2 / 3.0) + 0.2 * (1 / 3) + 0.1 * 0.75),
        (1, ["A"], 100, ["a"], 0.7 * (1 / 3.0)),
        (1, ["a"], 1000, ["a"], 0.7 * (1 / 3.0) + 0.2),
        (1, ["a"], -50, ["a"], 0.7 * (1 / 3.0) + 0.2 + 0.1),
        (1, ["a"], 0.5, ["a"], 0.7 * (1 / 3.0) + 0.2 + 0.1 * (1 - 0.5 / 100)),
    ],
)
def test_utility(priority: int, tags: list[str], age_s: float, mine: list[str], wanted: float) -> None:
    assert utility(priority, tags, age_s, mine) == pytest.approx(wanted, abs=1e-12)


def test_a_fresh_fitting_advisory_may_come_before_stale_steering(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob", interest_tags=("x",))
    ann.message.send(destination_agent_id="bob", content="stale", priority=2, ttl_seconds=100)
    world.clock.advance(99)
    ann.message.send(destination_agent_id="bob", content="fresh", priority=1, relevance_tags=["x"])
    assert [one.content for one in bob.message.poll().deliveries] == ["fresh", "stale"]
    unpruned = bob.message.poll(apply_budget_pruning=False)
    assert [one.content for one in unpruned.deliveries] == ["stale", "fresh"]


def test_the_budget_is_the_sessions_unless_given(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob", max_context_bytes=10)
    for content in ("12345", "67890", "abcde"):
        ann.message.send(destination_agent_id="bob", content=content)
    polled = bob.message.poll()
    assert [one.content for one in polled.deliveries] == ["12345", "67890"]
    (event,) = audit(world.path, "message.prune")
    assert json.loads(event["metadata_json"]) == {"budget_bytes": 10, "payload_byte_size": 5}
    assert rows(world.path, "SELECT content FROM messages WHERE state = 'queued'") == [("abcde",)]
    assert len(bob.message.poll(budget_bytes=15).deliveries) == 3
    assert len(audit(world.path, "message.prune")) == 1


def test_interrupts_ignore_the_budget_and_use_it_up(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.message.send(destination_agent_id="bob", content="x" * 50, priority=3)
    ann.message.send(destination_agent_id="bob", content="y" * 10, priority=2)
    polled = bob.message.poll(budget_bytes=40)
    assert [one.priority for one in polled.deliveries] == [3]
    assert len(polled.pruned_delivery_ids) == 1


def test_costless_mail_needs_a_remainder_that_is_not_negative(world: World) -> None:
    bob = world.agent("bob")
    empty = '{"relevance_tags":[],"confidence":1,"source_references":[],"payload_byte_size":0}'
    put(world.path, delivery_id="interrupt", priority=3, content="x" * 7)
    put(world.path, delivery_id="costless", context_json=empty, content="", sequence_number=2)
    assert [one.delivery_id for one in bob.message.poll(budget_bytes=7).deliveries] == ["interrupt", "costless"]
    assert bob.message.poll(budget_bytes=6).pruned_delivery_ids == ["costless"]


def test_what_is_pruned_gives_its_place_to_what_is_behind(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    for _ in range(10):
        ann.message.send(destination_agent_id="bob", content="x" * 60, priority=2)
    for number in range(10):
        ann.message.send(destination_agent_id="bob", content=str(number), priority=0)
    polled = bob.message.poll(budget_bytes=100)
    assert [one.content for one in polled.deliveries] == ["x" * 60, *"012345678"]
    assert len(polled.pruned_delivery_ids) == 9


def test_an_excerpt_of_what_is_larger_than_the_whole_budget(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    content = "é" * 5_000
    ann.message.send(destination_agent_id="bob", content=content)
    (delivery,) = bob.message.poll(budget_bytes=301).deliveries
    assert delivery.truncated
    assert delivery.full_size_bytes == delivery.context.payload_byte_size == 10_000
    assert content.startswith(delivery.content)
    assert 0 < len(delivery.content.encode()) <= 301
    assert to_the_end(bob, delivery.delivery_id) == content
    assert rows(world.path, "SELECT state FROM messages") == [("surfaced",)]
    bob.message.ack(delivery_id=delivery.delivery_id)
    assert bob.message.poll() == ([], [], [], ())


def to_the_end(workspace: Workspace, delivery_id: str) -> str:
    pieces: list[str] = []
    offset: int | None = 0
    while offset is not None:
        piece = workspace.message.read(delivery_id=delivery_id, offset=offset, length=999)
        pieces.append(piece.content)
        offset = piece.next_offset
    return "".join(pieces)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(content=st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=200, max_size=400))
def test_an_excerpt_ends_between_characters(content: str) -> None:
    with fresh() as world:
        ann, bob = world.agent("ann"), world.agent("bob")
        ann.message.send(destination_agent_id="bob", content=content)
        (delivery,) = bob.message.poll(budget_bytes=100).deliveries
        assert delivery.truncated
        assert content.startswith(delivery.content)
        assert 90 < len(delivery.content.encode()) <= 100


def test_excerpts_take_half_of_the_places_and_take_turns(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    large = [
        ann.message.send(destination_agent_id="bob", content="x" * 2_000, priority=2).delivery_ids[0] for _ in range(4)
    ]
    for number in range(4):
        ann.message.send(destination_agent_id="bob", content=str(number))
    turns = [bob.message.poll(budget_bytes=1_000, max_messages=4).deliveries for _ in range(3)]
    for turn in turns:
        assert [one.content for one in turn if not one.truncated] == ["0", "1"]
    shown = [[one.delivery_id for one in turn if one.truncated] for turn in turns]
    assert shown == [large[:2], large[2:], large[:2]]


def test_an_excerpt_alone_may_take_the_only_place(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    ann.message.send(destination_agent_id="bob", content="x" * 2_000)
    assert len(bob.message.poll(budget_bytes=1, max_messages=1).deliveries) == 1
    ann.message.send(destination_agent_id="bob", content="y")
    assert [one.content for one in bob.message.poll(budget_bytes=1, max_messages=1).deliveries] == ["y"]
