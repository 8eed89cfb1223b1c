"""The query over everything (reference 4.10): shapes, order, snippets, and who sees what."""

from __future__ import annotations

from comity.kernel.record import to_json
from comity.testing import World
from tests.original_knowledge import Knower
from tests.wire_format import dump


def knower(world: World, name: str = "peer") -> Knower:
    peer = Knower(world.path, name, f"{name}-session", world.clock)
    peer.register()
    peer.join("main")
    return peer


def test_results_have_the_protocols_keys_and_order(world: World) -> None:
    ann, peer = world.agent("ann"), knower(world)
    goal = peer.set_goal("Ship the parser", "before March")
    task = peer.finish_task("Write the parser", "in Python", "works 👋")
    peer.finish_task("Test the parser", "in Python", None, "pending")
    peer.sql("UPDATE macp_ext_tasks SET archived_at = ? WHERE task_id = ?", peer.now(), task)
    peer.index_vault("/r", [("docs/parser.md", "Parser", "How the parser works")])
    entry = ann.memory.set(key="parser", value="lives in src/parser.py", scope="channel", tags=["code"]).entry
    results = to_json(ann.context.query(query="PARSER"))["results"]
    assert [list(one) for one in results] == [["kind", "id", "title", "snippet", "score", "metadata"]] * 4
    assert [one["kind"] for one in results] == ["goal", "memory", "task", "vault_doc"]
    assert {one["score"] for one in results} == {6}
    found = {one["kind"]: one for one in results}
    assert found["goal"] == {
        "kind": "goal",
        "id": goal,
        "title": "Ship the parser",
        "snippet": "before March",
        "score": 6,
        "metadata": {"type": "mission", "status": "active", "parentGoalId": None},
    }
    assert (found["task"]["id"], found["task"]["snippet"]) == (task, "in Python\nworks 👋")
    assert found["task"]["metadata"] == {"status": "done", "goalId": None, "profileSlug": None}
    assert found["memory"]["id"] == entry.memory_id
    assert found["memory"]["metadata"] == {"scope": "channel", "channelId": "main", "tags": ["code"]}
    assert found["vault_doc"]["metadata"] == {"path": "docs/parser.md", "tags": []}
    assert [one.kind for one in ann.context.query(query="parser", limit=2).results] == ["goal", "memory"]
    assert ann.context.query(query=" \ufeff ").results == []
    assert ann.context.query(query="unheard-of").results == []
    peer.close()


def test_scores_add_up(world: World) -> None:
    ann, peer = world.agent("ann"), knower(world)
    peer.remember("both", "alpha beta")
    world.clock.advance(1)
    peer.remember("one", "alphabet")
    hits = [(one.title, one.score) for one in ann.context.query(query="alpha alpha beta 😀").results]
    assert hits == [("both", 14), ("one", 10)]
    peer.remember("face", "😀")
    assert [(one.title, one.score) for one in ann.context.query(query="😀").results] == [("face", 2)]
    peer.close()


def test_channel_memory_needs_membership(world: World) -> None:
    """Reference E-04, also for rows of the original, which itself would show them."""
    ann, eve, peer = world.agent("ann"), world.agent("eve", channel="other"), knower(world)
    peer.remember("k", "the secret", "channel", channel="main")
    assert len(peer.query_context("secret", "main")) == 1
    assert [one.title for one in ann.context.query(query="secret").results] == ["k"]
    for channel in ("main", None, " main "):
        assert eve.context.query(query="secret", channel_id=channel).results == []
        assert eve.search.find(query="secret", channel_id=channel).results == []
    eve.channel.join(channel_id="main")
    assert eve.context.query(query="secret").results == []
    assert [one.title for one in eve.context.query(query="secret", channel_id="main").results] == ["k"]
    peer.close()


def test_finding_by_relevance(world: World) -> None:
    ann, peer = world.agent("ann"), knower(world)
    peer.set_goal("Ship the parser", "parser parser parser")
    peer.finish_task("Write it", "the lexer", "parser")
    for number in range(20):
        peer.remember(f"filler {number}", "nothing of interest here")
    results = to_json(ann.search.find(query="Parser"))["results"]
    assert [list(one) for one in results] == [["kind", "id", "title", "snippet", "rank", "metadata"]] * 2
    assert [one["rank"] for one in results] == sorted((one["rank"] for one in results), reverse=True)
    assert [one.kind for one in ann.search.find(query="parser", kinds=["task"]).results] == ["task"]
    both = ann.search.find(query="lexer nothing", kinds=["task", "memory"], limit=3).results
    assert len(both) == 3
    assert {one.kind for one in both} == {"task", "memory"}
    assert ann.search.find(query="parser", kinds=[]).results == []
    peer.close()


def test_a_current_index_is_only_read(world: World) -> None:
    ann, peer = world.agent("ann"), knower(world)
    peer.remember("k", "text")
    ann.context.query(query="text")
    before = dump(world.path)
    for _ in range(3):
        assert ann.context.query(query="text tex te").results
        assert ann.search.find(query="text").results
        assert ann.memory.search(query="text").entries
    assert dump(world.path) == before
    peer.close()


def test_what_is_hidden_changes_no_number(world: World) -> None:
    """Neither a count nor a rank of a search over everything tells how often others' memories hold a word."""
    ann, bob = world.agent("ann"), world.agent("bob", channel="other")
    world.clock.advance(1)
    bob.memory.set(key="k", value="the lexer", scope="workspace")
    before = bob.search.find(query="lexer"), bob.context.query(query="lexer")
    for scope in ("agent", "channel"):
        ann.memory.set(key="lexer", value="lexer " * 50, scope=scope)
    assert (bob.search.find(query="lexer"), bob.context.query(query="lexer")) == before
    assert bob.memory.search(query="lexer", rank=True).entries[0].snippet == "the lexer"
    assert len(ann.search.find(query="lexer").results) == 3


def test_relevance_is_one_measure_for_all_kinds(world: World) -> None:
    ann, peer = world.agent("ann"), knower(world)
    peer.index_vault("/r", [("notes/café.md", "Notes", "tokens"), ("b.md", "Tokens", "of the café, tokens tokens")])
    peer.set_goal("Tokens", "")
    for number in range(20):
        peer.remember(f"filler {number}", "tokens of no interest")
    results = ann.search.find(query="CAFE tokens").results
    assert [one.metadata.get("path") for one in results[:2]] == ["notes/café.md", "b.md"]  # both words
    assert results[2].kind == "goal"  # in the title
    assert all(one.rank > 0 for one in results)
    peer.close()
