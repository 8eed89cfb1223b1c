"""Shared memory as the protocol has it (reference 4.4), without the defects of section 9.2 (E-08 to E-12, E-32)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from comity import Problem, Workspace
from comity.kernel.record import to_json
from comity.testing import World
from tests.original_knowledge import Knower
from tests.wire_format import audit, dump, rows

ENTRY = [
    *("memoryId", "scope", "key", "value", "ownerAgentId", "channelId", "tags", "confidence", "layer"),
    *("authorAgentId", "createdAt", "updatedAt"),
]


@pytest.fixture
def ann(world: World) -> Workspace:
    return world.agent("ann")


@pytest.fixture
def bob(world: World) -> Workspace:
    return world.agent("bob")


def refused(call: Callable[[], Any]) -> Problem:
    with pytest.raises(Problem) as caught:
        call()
    assert caught.value.hint
    return caught.value


def values(found: Any) -> list[str]:
    return [entry.value for entry in found.entries]


def test_answers_have_the_protocols_keys_in_its_order(world: World, ann: Workspace) -> None:
    stored = to_json(
        ann.memory.set(key=" k\ufeff", value="\nv ", scope="agent", tags=[" b ", "", "a", "b"], layer="behavior")
    )
    assert list(stored) == ["entry", "conflicts"]
    assert list(stored["entry"]) == ENTRY
    entry = stored["entry"]
    assert (entry["key"], entry["value"], entry["tags"]) == ("k", "v", ["b", "a"])
    assert (entry["ownerAgentId"], entry["channelId"], entry["authorAgentId"]) == ("ann", None, "ann")
    assert (entry["confidence"], entry["layer"], stored["conflicts"]) == ("stated", "behavior", 1)
    assert entry["createdAt"] == entry["updatedAt"] == world.clock.now().iso
    found = to_json(ann.memory.get(key="k "))
    assert found == {"resolvedScope": "agent", "entries": [entry], "conflicts": False}
    assert to_json(ann.memory.get(key="none")) == {"resolvedScope": None, "entries": [], "conflicts": False}
    assert to_json(ann.memory.search(query="K")) == to_json(ann.memory.list()) == {"entries": [entry]}
    assert list(to_json(ann.memory.resolve(key="k", scope="agent", chosen_value="w"))) == ["entry", "archivedCount"]
    assert to_json(ann.memory.delete(key="k", scope="agent")) == {"archivedCount": 1}
    past = to_json(ann.memory.history(key="k", scope="agent"))["entries"]
    assert [list(one) for one in past] == [[*ENTRY, "archivedAt", "archivedReason"]] * 2
    assert [(one["value"], one["archivedReason"]) for one in past] == [("w", "deleted"), ("v", "resolved")]


def test_the_row_is_the_originals(world: World, ann: Workspace) -> None:
    entry = ann.memory.set(key="ключ", value='"x"', scope="channel", channel_id=" main ", tags=["ü"]).entry
    now = world.clock.now().iso
    assert rows(world.path, "SELECT * FROM macp_ext_memories") == [
        (
            entry.memory_id,
            "channel",
            "ключ",
            '"x"',
            None,
            "main",
            '["ü"]',
            "stated",
            "context",
            "ann",
            now,
            now,
            None,
            None,
        )
    ]


def test_a_new_value_replaces_the_authors_old_one(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.memory.set(key="k", value="one", scope="workspace")
    world.clock.advance(1)
    assert bob.memory.set(key="k", value="two", scope="workspace").conflicts == 2
    world.clock.advance(1)
    assert ann.memory.set(key="k", value="three", scope="workspace").conflicts == 2
    found = bob.memory.get(key="k")
    assert (values(found), found.conflicts, found.resolved_scope) == (["three", "two"], True, "workspace")
    world.clock.advance(1)
    agreed = ann.memory.set(key="k", value="two", scope="workspace")
    assert (agreed.conflicts, agreed.entry.author_agent_id) == (1, "bob")
    past = bob.memory.history(key="k", scope="workspace").entries
    assert [(one.value, one.archived_reason) for one in past] == [
        ("two", None),
        ("three", "replaced"),
        ("one", "replaced"),
    ]


def test_an_identical_value_keeps_what_is_not_said(world: World, ann: Workspace, bob: Workspace) -> None:
    first = ann.memory.set(
        key="k", value="v", scope="workspace", tags=["t"], confidence="observed", layer="constraints"
    )
    world.clock.advance(1)
    again = bob.memory.set(key="k", value="v", scope="workspace").entry
    assert again == first.entry._replace(updated_at=world.clock.now().iso)
    assert bob.memory.set(key="k", value="v", scope="workspace", tags=[], layer="context").entry.tags == []
    kept = bob.memory.resolve(key="k", scope="workspace", chosen_value="v").entry
    assert (kept.confidence, kept.layer, kept.author_agent_id) == ("observed", "context", "bob")


def test_resolving_ends_a_conflict_and_checks_first(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.memory.set(key="k", value="one", scope="workspace")
    bob.memory.set(key="k", value="two", scope="workspace")
    before = dump(world.path)
    assert (
        refused(lambda: ann.memory.resolve(key="k", scope="workspace", chosen_value=" \ufeff")).reason
        == "memory.blank_value"
    )
    assert (
        refused(lambda: ann.memory.resolve(key=" ", scope="workspace", chosen_value="x")).reason == "memory.blank_key"
    )
    assert dump(world.path) == before
    done = ann.memory.resolve(key=" k ", scope="workspace", chosen_value=" two ")
    assert (done.archived_count, values(ann.memory.get(key="k"))) == (2, ["two"])
    assert ann.memory.delete(key="\tk", scope="workspace").archived_count == 1
    assert ann.memory.delete(key="k", scope="workspace").archived_count == 0


def test_the_cascade(world: World, ann: Workspace, bob: Workspace) -> None:
    ann.memory.set(key="k", value="everybody's", scope="workspace")
    assert bob.memory.get(key="k").resolved_scope == "workspace"
    ann.memory.set(key="k", value="the channel's", scope="channel")
    assert values(bob.memory.get(key="k")) == ["the channel's"]
    bob.memory.set(key="k", value="bob's own", scope="agent")
    assert values(bob.memory.get(key="k")) == ["bob's own"]
    assert values(ann.memory.get(key="k")) == ["the channel's"]
    assert values(bob.memory.get(key="k", scope="workspace")) == ["everybody's"]
    assert values(ann.memory.get(key="k", scope="agent")) == []


def test_channel_memory_is_for_members(world: World, ann: Workspace, bob: Workspace) -> None:
    """Reference E-10: a channel that was not named is left out; one that was is refused."""
    eve = world.agent("eve", start=True)
    eve.channel.leave(channel_id="main")
    ann.memory.set(key="k", value="secret plans", scope="channel")
    ann.memory.set(key="k2", value="public plans", scope="workspace")
    assert eve.memory.get(key="k").entries == []
    assert values(eve.memory.get(key="k2")) == ["public plans"]
    for found in (eve.memory.search(query="plans"), eve.memory.search(query="plans", rank=True), eve.memory.list()):
        assert values(found) == ["public plans"]
    assert [one.title for one in eve.context.query(query="plans", channel_id="main").results] == ["k2"]
    assert [one.title for one in eve.search.find(query="plans", channel_id="main").results] == ["k2"]
    wanted: list[Callable[[], Any]] = [
        lambda: eve.memory.get(key="k", channel_id="main"),
        lambda: eve.memory.get(key="k", scope="channel"),
        lambda: eve.memory.search(query="plans", channel_id=" main "),
        lambda: eve.memory.search(query="plans", scope="channel"),
        lambda: eve.memory.list(channel_id="main"),
        lambda: eve.memory.set(key="k", value="mine now", scope="channel"),
        lambda: eve.memory.delete(key="k", scope="channel"),
        lambda: eve.memory.resolve(key="k", scope="channel", chosen_value="mine now"),
        lambda: eve.memory.history(key="k", scope="channel"),
    ]
    for call in wanted:
        problem = refused(call)
        assert problem.reason == "MACP_ERR_SENDER_NOT_MEMBER"
        assert problem.data == {"agentId": "eve", "sessionId": eve.actor.session_id, "channelId": "main"}
    logged = [row for row in audit(world.path) if row["event_type"].startswith("memory.")]
    assert not any("secret" in str(row) or "'k'" in str(row) for row in logged)
    bob.channel.leave(channel_id="main")  # whoever leaves no longer sees it
    assert bob.memory.search(query="secret").entries == []
    assert values(ann.memory.search(query="SECRET")) == ["secret plans"]


def test_own_memory_is_ones_own(ann: Workspace, bob: Workspace) -> None:
    ann.memory.set(key="k", value="private note", scope="agent")
    assert bob.memory.get(key="k").entries == bob.memory.list().entries == []
    for found in (bob.memory.search(query="private"), bob.memory.search(query="private", rank=True)):
        assert found.entries == []
    assert bob.context.query(query="private").results == []
    assert bob.search.find(query="private").results == []
    assert bob.memory.delete(key="k", scope="agent").archived_count == 0
    assert values(ann.memory.list(scope="agent")) == ["private note"]
    assert ann.memory.list(scope="workspace").entries == []


def test_filters_and_limits(world: World, ann: Workspace) -> None:
    for number in range(30):
        world.clock.advance(1)
        ann.memory.set(
            key=f"k{number}", value="v", scope="workspace", tags=["even"] if number % 2 == 0 else ["odd", "x"]
        )
    assert [entry.key for entry in ann.memory.list(limit=2).entries] == ["k29", "k28"]
    assert len(ann.memory.list().entries) == 30
    assert len(ann.memory.search(query="k").entries) == 20
    assert [entry.key for entry in ann.memory.list(tags=[" odd ", "x"], limit=2).entries] == ["k29", "k27"]
    assert ann.memory.list(tags=["ODD"]).entries == ann.memory.list(tags=["odd", "even"]).entries == []
    assert [entry.key for entry in ann.memory.search(query="k2", tags=["even"], limit=3).entries] == [
        "k28",
        "k26",
        "k24",
    ]
    assert len(ann.memory.search(query="v", rank=True, tags=["even"], limit=3).entries) == 3
    assert len(ann.memory.list(limit=9_007_199_254_740_991).entries) == 30


def test_an_ended_session_is_refused(world: World, ann: Workspace) -> None:
    ann.session.end()
    calls: list[Callable[[], Any]] = [
        lambda: ann.memory.set(key="k", value="v", scope="workspace"),
        lambda: ann.memory.get(key="k"),
        lambda: ann.memory.search(query="k"),
        ann.memory.list,
        lambda: ann.memory.delete(key="k", scope="workspace"),
        lambda: ann.memory.resolve(key="k", scope="workspace", chosen_value="v"),
        lambda: ann.memory.history(key="k", scope="workspace"),
        lambda: ann.context.query(query="k"),
        lambda: ann.search.find(query="k"),
        lambda: ann.vault.search(query="k"),
        ann.vault.list,
        ann.profile.list,
        lambda: ann.memory.set(key=" ", value="v", scope="workspace"),  # the session is asked for before the body
    ]
    assert {refused(call).reason for call in calls} == {"MACP_ERR_SESSION_UNKNOWN"}


def test_both_ways_with_the_original(world: World, ann: Workspace) -> None:
    peer = Knower(world.path, "peer", "peer-session", world.clock)
    peer.register()
    peer.join("main")
    peer.remember("k", "theirs")
    world.clock.advance(1)
    assert ann.memory.set(key="k", value="ours", scope="workspace").conflicts == 2
    peer.remember("k", "ours")  # it finds our row
    assert len(peer.visible("main")) == 2
    assert peer.search_memory("OURS", "main") == [ann.memory.get(key="k").entries[0].memory_id]
    peer.remember("secret", "of the channel", "channel", channel="main")
    assert values(ann.memory.search(query="of the")) == ["of the channel"]
    peer.forget("k")
    assert ann.memory.get(key="k").entries == []
    assert [one.archived_reason for one in ann.memory.history(key="k", scope="workspace").entries] == ["deleted"] * 2
    peer.remember("k", "a")
    peer.remember("k", "b")  # its own second value stays beside the first; resolving ends it
    assert ann.memory.get(key="k").conflicts
    ann.memory.resolve(key="k", scope="workspace", chosen_value="b")
    assert [row[2] for row in peer.visible(None)] == ["b"]
    peer.close()


@pytest.mark.parametrize(
    "arguments",
    [
        {"key": "", "value": "v", "scope": "workspace"},
        {"key": "k", "value": "", "scope": "workspace"},
        {"key": "k", "value": "v", "scope": "world"},
        {"key": "k", "value": "v"},
        {"key": "k" * 1001, "value": "v", "scope": "workspace"},
        {"key": "k", "value": "v" * 1_000_001, "scope": "workspace"},
        {"key": "k", "value": "\ud800", "scope": "workspace"},
        {"key": "k\0", "value": "v", "scope": "workspace"},
        {"key": "k", "value": "v", "scope": "workspace", "tags": "x"},
        {"key": "k", "value": "v", "scope": "workspace", "tags": ["x"] * 65},
        {"key": "k", "value": "v", "scope": "workspace", "confidence": "sure"},
        {"key": "k", "value": "v", "scope": "workspace", "layer": 1},
    ],
)
def test_bad_arguments_change_nothing(world: World, ann: Workspace, arguments: dict[str, Any]) -> None:
    before = dump(world.path)
    assert refused(lambda: ann.call("memory.set", arguments)).reason.startswith("argument.")
    assert dump(world.path) == before


def test_a_channel_is_needed_where_there_is_none(world: World) -> None:
    lone = world.agent("lone", channel="")
    assert refused(lambda: lone.memory.set(key="k", value="v", scope="channel")).reason == "channel.missing"
    assert lone.memory.list(channel_id="  ").entries == []
