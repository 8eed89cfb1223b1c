"""Searches against plain scans over the same rows: what is found, its order, its score, its snippet."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity import Workspace
from comity.kernel import javascript
from comity.kernel.record import to_json
from comity.testing import World
from tests.original_knowledge import Knower, cut, scored, trim, units
from tests.rounds import rounds
from tests.wire_format import check, rows

# Few and odd letters, so that random texts share words: cases that fold, pairs of surrogates, odd white space, quotes.
LETTERS = (
    "a",
    "b",
    "c",
    "A",
    "B",
    "ß",
    "İ",
    "Σ",
    "ς",
    "😀",
    "😁",
    "é",
    " ",
    "\n",
    "\ufeff",
    "\u0085",
    '"',
    "'",
    "*",
    "-",
)
TEXT = st.text(st.sampled_from(LETTERS), max_size=30)
LONG = st.lists(st.text(st.sampled_from(LETTERS), min_size=1, max_size=40), max_size=12).map(" ".join)
QUERY = st.text(st.sampled_from(LETTERS), min_size=1, max_size=14)


@given(TEXT)
def test_trimming_and_lengths_are_javascripts(text: str) -> None:
    assert javascript.trim(text) == trim(text)
    assert javascript.length(text) == len(units(text))


@settings(max_examples=rounds(100, 400))
@given(LONG, QUERY.filter(lambda query: bool(trim(query))))
def test_snippets_are_the_originals(text: str, query: str) -> None:
    mine = javascript.snippet(text, javascript.words(query.lower())[0])
    assert mine == cut(text, query)
    mine.encode()  # no half of a pair


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[World, Workspace, Knower]]:
    """One file for many examples; each example adds to it and takes some away."""
    with World() as world:
        mine = world.agent("ann", max_pending_messages=10)
        peer = Knower(world.path, "ann", mine.actor.session_id, world.clock)
        yield world, mine, peer
        peer.close()


WRITE = st.one_of(
    st.tuples(st.just("remember"), TEXT, LONG),
    st.tuples(st.just("set"), TEXT.filter(lambda text: bool(trim(text))), LONG.filter(lambda text: bool(trim(text)))),
    st.tuples(st.just("task"), TEXT, LONG),
    st.tuples(st.just("goal"), TEXT, LONG),
    st.tuples(st.just("docs"), TEXT, LONG),
    st.tuples(st.just("delete"), st.integers(0, 5), st.just("")),
)


def write(world: World, mine: Workspace, peer: Knower, action: tuple[Any, str, str], number: int) -> None:
    kind, first, second = action
    world.clock.advance(0.001)  # every row has its own time, so that the order is told in full
    if kind == "remember":
        peer.remember(first, second, random.choice(["workspace", "agent"]))
    elif kind == "set":
        mine.memory.set(key=first, value=second, scope="workspace")
    elif kind == "task":
        peer.finish_task(first, second, None if number % 2 else first + second, "done" if number % 5 else "pending")
    elif kind == "goal":
        peer.set_goal(first, second)
    elif kind == "docs":
        peer.sql("DELETE FROM macp_ext_vault_docs WHERE doc_path = ?", f"{number % 7}.md")
        peer.sql(
            "INSERT INTO macp_ext_vault_docs VALUES (?, ?, ?, ?, '[]', ?, ?, 'h', ?)",
            *(f"doc-{world.clock.ms}", f"{number % 7}.md", first, second, f"/x/{number % 7}", peer.now(), peer.now()),
        )
    else:
        for table, column in (("memories", "memory_id"), ("goals", "goal_id"), ("tasks", "task_id")):
            peer.sql(
                f"DELETE FROM macp_ext_{table} WHERE {column} IN"
                f" (SELECT {column} FROM macp_ext_{table} ORDER BY updated_at LIMIT 3)"
            )


@settings(max_examples=rounds(40, 150), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(WRITE, max_size=8), st.lists(QUERY, min_size=1, max_size=4), st.integers(1, 8))
def test_every_search_finds_what_a_scan_finds(
    shared: tuple[World, Workspace, Knower], writes: list[Any], queries: list[str], limit: int
) -> None:
    world, mine, peer = shared
    for number, action in enumerate(writes):
        write(world, mine, peer, action, number + len(writes))
    for query in [*queries, " ".join(queries)]:
        found = mine.memory.search(query=query, limit=limit).entries
        assert [entry.memory_id for entry in found] == peer.search_memory(query, "main", limit)
        docs = [doc.path for doc in mine.vault.search(query=query, limit=limit).docs]
        assert docs == [path for _, path in peer.search_vault(query, limit)]
        results = to_json(mine.context.query(query=query, limit=limit))["results"]
        assert [{k: v for k, v in one.items() if k != "metadata"} for one in results] == peer.query_context(
            query, "main", limit
        )
    check(world.path)


def test_many_words_and_many_rows(world: World) -> None:
    """More words than are combined, more hits than one page, repeated words, words of one and two characters."""
    ann = world.agent("ann")
    peer = Knower(world.path, "ann", ann.actor.session_id, world.clock)
    chance = random.Random(3)
    said = ["apple", "bear", "cat", "dog", "eel", "fox", "gnu", "ox", "ä", "😀x", "appletree"]
    for _ in range(1500):
        world.clock.advance(0.001)
        peer.remember(chance.choice(said), " ".join(chance.choices(said, k=chance.randint(1, 6))))
    for _ in range(rounds(20, 60)):
        query = " ".join(chance.choices(said, k=chance.randint(1, 9)))
        mine = [(one.id, one.score) for one in ann.context.query(query=query).results]
        assert mine == [(one["id"], one["score"]) for one in peer.query_context(query, "main")]
        words = chance.choice(said)
        found = [entry.memory_id for entry in ann.memory.search(query=words, limit=300).entries]
        assert found == peer.search_memory(words, "main", 300)
    peer.close()


def test_rows_of_one_moment_are_ordered_by_their_age(world: World) -> None:
    ann = world.agent("ann")
    for number in range(50):
        rows(
            world.path,
            "INSERT INTO macp_ext_memories (memory_id, scope, memory_key, value_text, author_agent_id, created_at,"
            " updated_at) VALUES (?, 'workspace', 'k', 'same text', 'ann', ?, '2026-01-01T00:00:00.000Z')",
            *(f"m{number:02}", f"2025-01-{number % 28 + 1:02}T00:00:00.{number:03}Z"),
        )
        if number % 9 == 0:
            ann.memory.search(query="same")  # so that they come into the index bit by bit
    found = [entry.created_at for entry in ann.memory.search(query="same", limit=20).entries]
    assert found == sorted((entry.created_at for entry in ann.memory.list(limit=50).entries), reverse=True)[:20]


def test_ranking_puts_the_relevant_first(world: World) -> None:
    ann = world.agent("ann")
    ann.memory.set(key="parser", value="The parser reads tokens. " * 3, scope="workspace")
    for number in range(30):
        world.clock.advance(1)
        ann.memory.set(key=f"note {number}", value=f"something else about tokens {number}", scope="workspace")
    plain = ann.memory.search(query="tokens", limit=3).entries
    assert [entry.key for entry in plain] == ["note 29", "note 28", "note 27"]
    assert not any(entry.rank or entry.snippet for entry in plain)
    best = ann.memory.search(query="PARSER tokens!", rank=True).entries
    assert best[0].key == "parser"
    assert best[0].snippet == "The parser reads tokens. The parser reads tokens. The parser reads tokens."
    assert [entry.rank for entry in best] == sorted((entry.rank for entry in best), reverse=True)
    assert ann.memory.search(query="parse", rank=True).entries == []  # whole words
    assert [entry.key for entry in ann.memory.search(query="parse").entries] == ["parser"]
    assert ann.memory.search(query="\"'* -", rank=True).entries == []


@pytest.mark.parametrize("query", ['"', '""" OR', "NEAR(a b)", "a*", "^a", "-a", "{title}: x", "\\", "%_", "AND", "😀"])
def test_queries_are_text_not_syntax(world: World, query: str) -> None:
    ann = world.agent("ann")
    ann.memory.set(key="k", value=f"before {query} after", scope="workspace")
    assert len(ann.memory.search(query=query).entries) == 1
    assert scored(f"k\nbefore {query} after", query) == ann.context.query(query=query).results[0].score
    ann.memory.search(query=query, rank=True)
    ann.search.find(query=query)
    ann.vault.search(query=query, rank=True)


def test_words_that_everything_holds_do_not_hide_the_others(world: World) -> None:
    """Beyond a bound the index does not weigh a word; alone it finds the newest, beside another it is no condition."""
    ann = world.agent("ann")
    rows(
        world.path,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2100)"
        " INSERT INTO macp_ext_memories (memory_id, scope, memory_key, value_text, author_agent_id, created_at,"
        " updated_at) SELECT 'm' || i, 'workspace', 'k' || i, CASE i WHEN 7 THEN 'the same lexer' ELSE 'the same' END,"
        " 'ann', '', '2026-01-01T00:00:' || printf('%06.3f', i / 100.0) || 'Z' FROM n",
    )
    newest = [entry.key for entry in ann.memory.search(query="the same", rank=True, limit=3).entries]
    assert newest == ["k2100", "k2099", "k2098"]
    assert [entry.key for entry in ann.memory.search(query="the lexer", rank=True).entries] == ["k7"]
    results = ann.search.find(query="the lexer").results
    assert [(one.title, one.snippet) for one in results] == [("k7", "the same lexer")]
    assert [one.title for one in ann.search.find(query="the", limit=2).results] == ["k2100", "k2099"]
