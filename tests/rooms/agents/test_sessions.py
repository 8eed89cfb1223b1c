"""Registering, taking over and ending (MACP v1.0 sections 2.2 and 2.9)."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Problem
from comity.kernel.problem import Conflict, Invalid, NotFound
from comity.testing import World
from tests.original import Original
from tests.wire_format import audit, check, dicts, dump, rows


def test_a_registration_writes_the_protocols_rows(world: World) -> None:
    ann = world.agent(
        "ann", session_id="s1", name="Ann é", role="reviewer", interest_tags=(" a ", "a", "ü"), max_pending_messages=7
    )
    now = world.clock.now().iso
    assert len(now) == 24
    assert dicts(world.path, "SELECT * FROM agents") == [
        {"agent_id": "ann", "name": "Ann é", "created_at": now, "last_registered_at": now}
    ]
    assert dicts(world.path, "SELECT * FROM sessions") == [
        {
            "session_id": "s1",
            "agent_id": "ann",
            "capabilities_json": '{"role":"reviewer","injection_tiers":["tier1_polling"],'
            '"ack_levels":["received","queued","processed"],"max_context_bytes":16384}',
            "interest_tags_json": '[" a ","a","ü"]',
            "queue_preferences_json": '{"max_pending_messages":7}',
            "state": "active",
            "registered_at": now,
        }
    ]
    assert dicts(world.path, "SELECT * FROM channels") == [
        {"channel_id": "main", "name": "", "metadata_json": "{}", "state": "active", "created_at": now}
    ]
    assert dicts(world.path, "SELECT * FROM channel_members") == [
        {"channel_id": "main", "agent_id": "ann", "session_id": "s1", "joined_at": now}
    ]
    assert [tuple(row.values())[1:] for row in audit(world.path)] == [
        ("session.register", None, None, "ann", None, "MACP_OK", now, "{}"),
        ("channel.join", None, None, "ann", "main", "MACP_OK", now, "{}"),
    ]
    assert ann.session.start() == ("ann", "s1", "active", None)


def test_registering_again_renews_what_is_given_and_keeps_channels(world: World) -> None:
    ann = world.agent("ann", name="Ann")
    ann.channel.join(channel_id="other")
    created = world.clock.now().iso
    world.clock.advance(60)
    ann.session.start(interest_tags=["x"], max_pending_messages=3, max_context_bytes=99)
    (agent,) = dicts(world.path, "SELECT created_at, last_registered_at FROM agents")
    assert agent == {"created_at": created, "last_registered_at": world.clock.now().iso}
    (session,) = dicts(world.path, "SELECT * FROM sessions")
    assert session["interest_tags_json"] == '["x"]'
    assert session["queue_preferences_json"] == '{"max_pending_messages":3}'
    assert '"max_context_bytes":99' in session["capabilities_json"]
    assert rows(world.path, "SELECT channel_id FROM channel_members ORDER BY 1") == [("main",), ("other",)]
    ann.session.start()  # what is left out is as the agent was started
    (session,) = dicts(world.path, "SELECT * FROM sessions")
    assert session["queue_preferences_json"] == '{"max_pending_messages":200}'


def test_an_agent_without_default_channel_joins_none(world: World) -> None:
    ann = world.agent("ann", channel="")
    assert rows(world.path, "SELECT * FROM channel_members") == []
    for name in ("join", "leave"):
        with pytest.raises(Invalid) as refused:
            getattr(ann.channel, name)()
        assert refused.value.reason == "channel.missing"
    with pytest.raises(Invalid):
        ann.message.broadcast(content="x")


def test_the_newest_registration_wins(world: World) -> None:
    old = world.agent("ann")
    old.channel.join(channel_id="old channel")
    bob = world.agent("bob")
    sent = bob.message.send(destination_agent_id="ann", content="for ann, whoever she is")
    new = world.agent("ann")
    assert rows(world.path, "SELECT channel_id, session_id FROM channel_members WHERE agent_id = 'ann'") == [
        ("main", new.actor.session_id)
    ]
    before = dump(world.path)
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("message.poll", {}, "SESSION_UNKNOWN"),
        ("message.ack", {"delivery_id": sent.delivery_ids[0]}, "SESSION_UNKNOWN"),
        ("message.read", {"delivery_id": sent.delivery_ids[0]}, "SESSION_UNKNOWN"),
        ("channel.join", {}, "SESSION_UNKNOWN"),
        ("channel.leave", {}, "SESSION_UNKNOWN"),
        ("message.broadcast", {"content": "x"}, "SENDER_NOT_ACTIVE"),
        ("message.send", {"content": "x", "destination_agent_id": "bob"}, "SENDER_NOT_ACTIVE"),
    ]
    for name, arguments, code in calls:
        with pytest.raises(Conflict) as refused:
            old.call(name, arguments)
        assert refused.value.reason == f"MACP_ERR_{code}"
        assert refused.value.data == {"agentId": "ann", "sessionId": old.actor.session_id}
        assert refused.value.hint
    old.session.end()  # the late exit of the older process
    assert dump(world.path) == before
    assert [delivery.content for delivery in new.message.poll().deliveries] == ["for ann, whoever she is"]
    assert new.message.broadcast(content="still here").recipient_agent_ids == ["bob"]


def test_a_takeover_moves_claims_and_tasks_of_the_old_session(world: World) -> None:
    old = Original(world.path, "ann", "old", world.clock)
    old.register()
    old.join("main")
    old.claim("src/a.py")
    old.claim("src/b.py")
    old.sql(
        "UPDATE macp_ext_file_claims SET released_at = '2025', release_reason = 'released' WHERE file_path LIKE '%a%'"
    )
    for task, session in (("mine", "old"), ("free", None)):
        old.sql(
            "INSERT INTO macp_ext_tasks (task_id, title, dispatcher_agent_id, assigned_agent_id, assigned_session_id,"
            " created_at, updated_at) VALUES (?, 't', 'ann', 'ann', ?, '', '')",
            *(task, session),
        )
    before = dump(world.path)
    world.agent("ann", session_id="new")
    check(world.path)
    after = dump(world.path)
    for table in ("macp_ext_file_claims", "macp_ext_tasks"):
        moved = [tuple("new" if value == "old" else value for value in row) for row in before[table]]
        assert after[table] == sorted(moved, key=repr), table
    assert rows(world.path, "SELECT session_id FROM channel_members") == [("new",)]
    old.close()


def test_a_session_id_of_another_agent_is_refused_before_anything_is_written(world: World) -> None:
    world.agent("ann", session_id="shared")
    before = dump(world.path)
    with pytest.raises(Conflict) as refused:
        world.agent("bob", session_id="shared")
    assert refused.value.reason == "session.taken"
    assert refused.value.data == {"agentId": "ann", "sessionId": "shared"}
    assert dump(world.path) == before


def test_a_profile_must_exist_and_is_kept(world: World) -> None:
    ann = world.agent("ann")
    before = dump(world.path)
    with pytest.raises(NotFound) as refused:
        ann.session.start(profile_slug="nope", max_pending_messages=3)
    assert refused.value.reason == "profile.unknown"
    assert dump(world.path) == before
    rows(
        world.path,
        "INSERT INTO macp_ext_profiles (slug, name, role, author_agent_id, created_at, updated_at)"
        " VALUES ('reviewer', 'R', 'r', 'ann', '', '')",
    )
    assert ann.session.start(profile_slug=" Reviewer ").profile_slug == "reviewer"
    assert ann.session.start().profile_slug == "reviewer"
    assert world.agent("ann").session.start().profile_slug == "reviewer"


def test_ending_twice_changes_nothing_and_keeps_the_mail(world: World) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    bob.message.send(destination_agent_id="ann", content="later")
    ann.session.end()
    assert rows(world.path, "SELECT state FROM sessions WHERE agent_id = 'ann'") == [("deregistered",)]
    assert [row["agent_id"] for row in audit(world.path, "session.deregister")] == ["ann"]
    assert rows(world.path, "SELECT status FROM macp_ext_agent_state WHERE agent_id = 'ann'") == [("inactive",)]
    before = dump(world.path)
    assert ann.session.end() == ("ann", ann.actor.session_id, (), ())
    assert dump(world.path) == before
    ann.session.start()
    assert [delivery.content for delivery in ann.message.poll().deliveries] == ["later"]


def test_an_end_with_a_reason_says_so(world: World) -> None:
    ann = world.agent("ann")
    ann.session.end(reason="out of tokens")
    assert rows(world.path, "SELECT status, reason FROM macp_ext_agent_state") == [("inactive", "out of tokens")]


def test_an_end_before_any_start_changes_nothing(world: World) -> None:
    before = dump(world.path)
    world.agent("ann", start=False).session.end()
    assert dump(world.path) == before


@pytest.mark.parametrize(
    "arguments",
    [
        {"max_pending_messages": 0},
        {"max_pending_messages": -1},
        {"max_pending_messages": 1.5},
        {"max_pending_messages": "3"},
        {"max_context_bytes": 0},
        {"interest_tags": "a"},
        {"interest_tags": [1]},
        {"interest_tags": ["x" * 201]},
        {"interest_tags": ["x"] * 65},
        {"interest_tags": ["a\0"]},
        {"profile_slug": ""},
        {"unknown": 1},
    ],
    ids=str,
)
def test_bad_arguments_change_nothing(world: World, arguments: dict[str, Any]) -> None:
    ann = world.agent("ann")
    before = dump(world.path)
    with pytest.raises(Problem) as refused:
        ann.call("session.start", arguments)
    assert refused.value.kind == "invalid"
    assert dump(world.path) == before
