"""An agent's situation: keys, order and counts of the protocol (reference 4.2), without its defects."""

from __future__ import annotations

from typing import Any

import pytest

from comity import Problem
from comity.kernel.record import to_json
from comity.testing import World
from tests.original import Original
from tests.original_claims import claim_files
from tests.rooms.channels.rows import put
from tests.wire_format import dump, rows

AGENT_KEYS = {
    *("agentId", "sessionId", "name", "registeredAt", "status", "profileSlug", "role", "interestTags", "channels")
}
DELIVERY_KEYS = [
    *("deliveryId", "messageId", "channelId", "fromAgentId", "fromName", "priority", "priorityLabel", "type"),
    *("contentPreview", "timestamp", "state"),
]


def context(world: World, agent_id: str = "ann", **arguments: Any) -> dict[str, Any]:
    workspace = world.agent(agent_id, start=False, session_id=f"{agent_id}-1")
    answer: dict[str, Any] = to_json(workspace.call("agent.context", arguments))
    return answer


@pytest.fixture
def lively(world: World) -> World:
    ann = world.agent("ann", session_id="ann-1", name="Ann", interest_tags=("db",), role="writer")
    bob = world.agent("bob", session_id="bob-1", name="Bob")
    for number, priority in enumerate((0, 3, 1, 3, 2)):
        bob.message.send(destination_agent_id="ann", content=f"m{number}", priority=priority)  # type: ignore[arg-type]
    bob.message.broadcast(content="to all", priority="steering", ttl_seconds=1)
    ann.channel.join(channel_id="side")
    ann.claim.acquire(files=["b.py", "a.py"], reason="mending")
    bob.claim.acquire(files=["c.py"])
    for place in ("agent", "channel", "workspace", "workspace"):
        key = f"{place} {len(rows(world.path, 'SELECT 1 FROM macp_ext_memories'))}"
        ann.memory.set(key=key, value="v", scope=place)
    bob.memory.set(key="private", value="v", scope="agent")
    return world


def test_keys_and_order_are_the_protocols(lively: World) -> None:
    before = dump(lively.path)
    seen = context(lively)
    assert dump(lively.path) == before
    assert list(seen) == ["agent", "pending", "claims", "memories"]
    assert set(seen["agent"]) == AGENT_KEYS
    assert seen["agent"] == {
        "agentId": "ann",
        "sessionId": "ann-1",
        "name": "Ann",
        "registeredAt": lively.clock.now().iso,
        "status": "active",
        "profileSlug": None,
        "role": "writer",
        "interestTags": ["db"],
        "channels": ["main", "side"],
    }
    pending = seen["pending"]
    assert list(pending) == ["total", "interrupt", "steering", "advisory", "info", "deliveries"]
    assert [pending[key] for key in list(pending)[:5]] == [6, 2, 2, 1, 1]
    assert list(pending["deliveries"][0]) == DELIVERY_KEYS
    assert [(one["contentPreview"], one["priorityLabel"]) for one in pending["deliveries"]] == [
        ("m1", "interrupt"),
        ("m3", "interrupt"),
        ("m4", "steering"),
        ("to all", "steering"),
        ("m2", "advisory"),
        ("m0", "info"),
    ]
    assert [(one["fromAgentId"], one["fromName"], one["channelId"]) for one in pending["deliveries"][2:4]] == [
        ("bob", "Bob", None),
        ("bob", "Bob", "main"),
    ]
    claims = seen["claims"]
    assert list(claims) == ["own", "peers"]
    assert [one["filePath"] for one in claims["own"]] == ["a.py", "b.py"]
    assert [(one["agentId"], one["filePath"]) for one in claims["peers"]] == [("bob", "c.py")]
    assert {"claimId", "agentId", "sessionId", "filePath", "claimedAt", "expiresAt", "reason"} <= set(claims["own"][0])
    assert "reason" not in claims["peers"][0]
    assert seen["memories"] == {"agent": 1, "channel": 1, "workspace": 2}


def test_deadlines_are_strict_and_the_list_is_limited(lively: World) -> None:
    lively.clock.advance(1)  # a poll would still show what expires now; the context does not
    seen = context(lively, pending_limit=2)
    assert seen["pending"]["total"] == 5
    assert [one["contentPreview"] for one in seen["pending"]["deliveries"]] == ["m1", "m3"]
    assert len(context(lively, pending_limit=9_007_199_254_740_991)["pending"]["deliveries"]) == 5


def test_outside_its_default_channel_an_agent_still_sees_the_rest(lively: World) -> None:
    lively.agent("ann", start=False, session_id="ann-1").channel.leave(channel_id="main")
    assert context(lively)["memories"] == {"agent": 1, "channel": 0, "workspace": 2}
    assert context(lively, channel_id="side")["memories"]["channel"] == 0
    with pytest.raises(Problem) as refused:
        context(lively, channel_id=" main ")
    assert refused.value.reason == "MACP_ERR_SENDER_NOT_MEMBER"
    assert refused.value.data == {"agentId": "ann", "sessionId": "ann-1", "channelId": "main"}


def test_without_a_session_there_is_no_context(lively: World) -> None:
    with pytest.raises(Problem) as refused:
        lively.agent("ann", start=False, session_id="older").agent.context()
    assert refused.value.reason == "MACP_ERR_SESSION_UNKNOWN"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 197 + "..."),
        ("\U0001f600" * 100, "\U0001f600" * 100),  # 200 units
        ("\U0001f600" * 101, "\U0001f600" * 98 + "..."),  # the cut at 197 would fall into a pair
        ("x" + "\U0001f600" * 101, "x" + "\U0001f600" * 98 + "..."),
        ("é" * 300, "é" * 197 + "..."),
        ("x" * 100_000, "x" * 197 + "..."),
    ],
    ids=["200", "201", "pairs", "cut in a pair", "cut between pairs", "accents", "long"],
)
def test_previews_are_cut_by_units_and_before_a_pair(world: World, content: str, shown: str) -> None:
    ann, bob = world.agent("ann"), world.agent("bob")
    bob.message.send(destination_agent_id="ann", content=content)
    (delivery,) = ann.agent.context().pending.deliveries
    assert delivery.content_preview == shown


def test_malformed_rows_of_others_are_shown_as_far_as_they_go(world: World) -> None:
    ann = world.agent("ann")
    now = world.clock.now().iso
    malformed: list[dict[str, Any]] = [{"from_json": "broken"}, {"from_json": '{"agent_id": 5}'}, {"priority": 9}]
    for number, fields in enumerate(malformed):
        put(world.path, destination_agent_id="ann", to="ann", timestamp=now, delivery_id=f"d{number}", **fields)
    seen = to_json(ann.agent.context())["pending"]
    assert seen["total"] == 3
    assert {one["fromAgentId"] for one in seen["deliveries"]} >= {"unknown"}
    assert seen["deliveries"][0]["priorityLabel"] == "unknown"


def test_an_originals_claims_are_peers_claims(world: World) -> None:
    original = Original(world.path, "old", "old-1", world.clock)
    original.register()
    claim_files(original, ["x.py"], reason="theirs")
    ann = world.agent("ann")
    (claim,) = ann.agent.context().claims.peers
    assert (claim.agent_id, claim.file_path, claim.reason) == ("old", "x.py", "theirs")
    original.close()


def test_whoever_only_looks_has_no_situation(world: World) -> None:
    nobody = world.agent("", start=False, session_id="", spectator=True)
    with pytest.raises(Problem) as refused:
        nobody.agent.context()
    assert (refused.value.reason, refused.value.status) == ("agent.unnamed", 401)
