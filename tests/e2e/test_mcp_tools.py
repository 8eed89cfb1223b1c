"""Every ``macp_*`` tool over a real pipe with the official SDK's client, in both eras of MCP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import anyio
import jsonschema  # type: ignore[import-untyped]
import pytest
from mcp import Client
from mcp_types import TextContent

from comity.dialects.macp.tools import TOOLS
from comity.kernel.record import camel
from comity.mcp import wire
from comity.rooms import REGISTRY
from tests.e2e.served import Era, Served, common, connected, content, database, locked, problem
from tests.wire_format import audit, check, rows

pytestmark = pytest.mark.anyio

UNKNOWN = "0190d3f0-0000-7000-8000-000000000000"
HUGE = "x" * 10_000_000
SENT = ["messageId", "deliveryIds", "recipientAgentIds"]
KEYS = {
    "macp_get_instructions": ["instructions"],
    "macp_register": ["agentId", "sessionId", "status", "profileSlug"],
    "macp_join_channel": ["channelId", "peerAgentIds"],
    "macp_leave_channel": ["channelId", "left"],
    "macp_send_channel": SENT,
    "macp_send_direct": SENT,
    "macp_poll": ["deliveries", "expiredDeliveryIds", "prunedDeliveryIds"],
    "macp_read_message": [
        "deliveryId",
        "content",
        "offset",
        "nextOffset",
        "totalCharacters",
        "fullSizeBytes",
        "state",
    ],
    "macp_ack": ["deliveryId", "state"],
    "macp_deregister": ["agentId", "sessionId"],
}
DELIVERY = [
    *("deliveryId", "messageId", "channelId", "from", "destinationType", "to", "contentType", "priority", "type"),
    *("content", "sequenceNumber", "context", "ack", "timestamp", "ttlSeconds", "state", "destinationAgentId"),
]


@pytest.fixture(params=["legacy", "auto"])
def era(request: pytest.FixtureRequest) -> Era:
    return "legacy" if request.param == "legacy" else "auto"


async def called(client: Client, tool: str, /, **arguments: Any) -> dict[str, Any]:
    """A tool's answer, of exactly the protocol's shape."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    (item,) = result.content
    assert isinstance(item, TextContent)
    structured = result.structured_content
    assert isinstance(structured, dict)
    assert item.text == wire.pretty(structured)
    assert json.loads(item.text) == structured
    assert list(structured) == KEYS[tool]
    schema = next(one for one in (await client.list_tools()).tools if one.name == tool).output_schema
    assert schema is not None
    jsonschema.Draft202012Validator(schema).validate(structured)
    return structured


async def refused(client: Client, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    return problem(result.model_dump(by_alias=True, mode="json", exclude_none=True))


def check_deliveries(first: dict[str, Any], second: dict[str, Any], whole: str) -> None:
    """A direct message and an excerpt of one to a channel."""
    assert list(first) == DELIVERY
    assert list(second) == [*DELIVERY, "truncated", "fullSizeBytes"]
    assert first["from"]["agentId"] == first["from"]["name"] == "ann"
    assert (first["content"], first["contentType"], first["priority"]) == ('{"ü": 1}', "application/json", 3)
    assert first["context"] == {
        "relevanceTags": ["api"],
        "confidence": 0.5,
        "sourceReferences": ["src/a.py"],
        "payloadByteSize": len('{"ü": 1}'.encode()),
    }
    assert (first["channelId"], first["to"], first["ttlSeconds"], first["type"]) == (None, "bob", 60, "note")
    assert first["ack"] == {"requestLevel": "processed"}
    assert (second["channelId"], second["to"], second["destinationType"]) == ("side", "side", "channel")
    assert second["fullSizeBytes"] == len(whole.encode())


async def test_every_tool_answers_the_keys_of_the_protocol(tmp_path: Path, era: Era) -> None:
    async with connected(tmp_path, "ann", era) as ann, connected(tmp_path, "bob", "auto") as bob:
        assert {tool.name for tool in (await ann.list_tools()).tools} >= set(KEYS)
        mine = await called(bob, "macp_register", interestTags=["api"], maxPendingMessages=50, maxContextBytes=1000)
        assert (mine["agentId"], mine["status"], mine["profileSlug"]) == ("bob", "active", None)
        assert "ann" in (await called(ann, "macp_get_instructions"))["instructions"]
        assert await called(ann, "macp_join_channel", channelId="side") == {"channelId": "side", "peerAgentIds": []}
        assert await called(bob, "macp_join_channel", channelId="side") == {
            "channelId": "side",
            "peerAgentIds": ["ann"],
        }

        whole = "Grüße 👋\u2028\n" + "0123456789" * 200
        sent = await called(ann, "macp_send_channel", content=whole, priority="steering", channelId="side")
        direct = await called(
            ann,
            "macp_send_direct",
            destinationAgentId="bob",
            content='{"ü": 1}',
            contentType="application/json",
            priority=3,
            type="note",
            relevanceTags=["api"],
            confidence=0.5,
            sourceReferences=["src/a.py"],
            ttlSeconds=60,
            ackLevel="processed",
        )
        assert sent["recipientAgentIds"] == direct["recipientAgentIds"] == ["bob"]

        polled = await called(bob, "macp_poll", maxMessages=5, minPriority=1)
        first, second = polled["deliveries"]
        assert (first["deliveryId"], first["messageId"]) == (direct["deliveryIds"][0], direct["messageId"])
        check_deliveries(first, second, whole)
        assert polled["prunedDeliveryIds"] == sent["deliveryIds"]

        read = ""
        offset: int | None = 0
        while offset is not None:
            piece = await called(bob, "macp_read_message", deliveryId=second["deliveryId"], offset=offset, length=1500)
            read, offset = read + piece["content"], piece["nextOffset"]
        assert read == whole
        for delivery in (first, second, second):
            told = await called(bob, "macp_ack", deliveryId=delivery["deliveryId"])
            assert told == {"deliveryId": delivery["deliveryId"], "state": "acknowledged"}
        nothing: dict[str, list[str]] = {"deliveries": [], "expiredDeliveryIds": [], "prunedDeliveryIds": []}
        assert await called(bob, "macp_poll", applyBudgetPruning=False, budgetBytes=1, waitMs=0) == nothing
        assert await called(bob, "macp_leave_channel", channelId="side") == {"channelId": "side", "left": True}
        assert (await called(ann, "macp_send_channel", content="x", channelId="side"))["deliveryIds"] == []
        ended = await called(ann, "macp_deregister")
        assert (ended["agentId"], (await refused(ann, "macp_poll", {}))["reasonCode"]) == (
            "ann",
            "MACP_ERR_SESSION_UNKNOWN",
        )
        assert (await called(ann, "macp_register"))["sessionId"] == ended["sessionId"]
    check(database(tmp_path))


async def test_a_full_queue_is_named_in_the_answer(tmp_path: Path) -> None:
    async with connected(tmp_path, "ann", "auto") as ann, connected(tmp_path, "bob", "auto") as bob:
        await called(bob, "macp_register", maxPendingMessages=1)
        await called(ann, "macp_send_direct", destinationAgentId="bob", content="one", priority="interrupt")
        async with connected(tmp_path, "cat", "auto"):
            result = await ann.call_tool("macp_send_channel", {"content": "two", "priority": "info"})
        assert isinstance(result.structured_content, dict)
        assert list(result.structured_content) == [*SENT, "refused"]
        assert result.structured_content["recipientAgentIds"] == ["cat"]
        assert [one["agentId"] for one in result.structured_content["refused"]] == ["bob"]
        told = await refused(ann, "macp_send_direct", {"destinationAgentId": "bob", "content": "x"})
        assert told["reasonCode"] == "MACP_ERR_QUEUE_FULL_REJECT_INCOMING"
        assert len(audit(database(tmp_path), "message.reject")) == 2


# What no tool takes, by argument; what is not here follows from the argument's own schema.
WRONG: dict[str, list[Any]] = {
    "content": ["", 1, [], {}, True, None, "a\0b", HUGE],
    "destinationAgentId": ["", 7, [], None, "a\0", "x" * 201, HUGE],
    "deliveryId": ["", 5, [], None, "a\0", "x" * 201, HUGE],
    "channelId": ["", 1, [], "a\0", "x" * 201, HUGE],
    "priority": ["urgent", "", 4, -1, 1.5, True, []],
    "type": ["", 1, "x" * 101],
    "relevanceTags": ["api", [1], ["x" * 201], ["x"] * 65, {"a": 1}, ["\0"]],
    "sourceReferences": ["a", [None], ["x" * 2001], [[]]],
    "confidence": [-0.1, 1.1, "1", True],
    "ttlSeconds": [0, -1, 1.5, "60", 10**12, 10**400],
    "contentType": ["text/html", "", 1],
    "ackLevel": ["seen", "", 0],
    "minPriority": [4, -1, "info", 0.5, []],
    "maxMessages": [0, -1, 1001, "5", 2.5, 10**30],
    "applyBudgetPruning": [1, "yes", 0],
    "budgetBytes": [0, "1", {}, 10**9],
    "waitMs": [-1, 60_001, "5", []],
    "offset": [-1, "0", 2**70],
    "length": [0, 100_001, "1"],
    "interestTags": ["api", [1], ["x"] * 65, ["\0"]],
    "maxPendingMessages": [0, -1, "9", 10**6],
    "maxContextBytes": [0, "9", 10**9],
    "profileSlug": ["", 3, "\0"],
    "reason": [1, [], "\0", HUGE],
}
HUGE_LENGTH = 100_000
MEANINGLESS: list[tuple[str, dict[str, Any], str]] = [
    ("macp_send_channel", {"content": "x", "channelId": "  "}, "channel.missing"),
    ("macp_send_channel", {"content": "x", "channelId": "nowhere"}, "MACP_ERR_CHANNEL_NOT_FOUND"),
    ("macp_send_channel", {"content": "x", "channelId": "private"}, "MACP_ERR_SENDER_NOT_MEMBER"),
    ("macp_send_channel", {"content": "{", "contentType": "application/json"}, "content.not_json"),
    ("macp_send_channel", {"content": "[" * 900_000, "contentType": "application/json"}, "content.not_json"),
    ("macp_send_direct", {"content": "x", "destinationAgentId": "nobody"}, "MACP_ERR_DESTINATION_UNKNOWN"),
    ("macp_ack", {"deliveryId": UNKNOWN}, "MACP_ERR_DELIVERY_NOT_FOUND"),
    ("macp_ack", {"deliveryId": "' OR 1; DROP TABLE messages --"}, "MACP_ERR_DELIVERY_NOT_FOUND"),
    ("macp_read_message", {"deliveryId": UNKNOWN}, "MACP_ERR_DELIVERY_NOT_FOUND"),
    ("macp_join_channel", {"channelId": "\t "}, "channel.missing"),
    ("macp_leave_channel", {"channelId": "\t "}, "channel.missing"),
    ("macp_register", {"profileSlug": "nobody"}, "profile.unknown"),
]


def outside(schema: dict[str, Any]) -> list[Any]:
    """Values that an argument's schema excludes."""
    wrong: list[Any] = {
        "string": [5, [], {}, True, "a\0b"],
        "integer": ["5", 1.5, [], True],
        "number": ["5", [], True],
        "boolean": ["yes", 2, []],
        "array": ["x", 5, {"a": 1}],
        "object": [1, "x", []],
    }.get(schema.get("type", ""), [["no"], {"no": 1}, "surely none of them"])
    if "minimum" in schema:
        wrong += [schema["minimum"] - 1, schema["maximum"] + 1]
    if schema.get("minLength"):
        wrong.append("")
    if schema.get("maxLength", HUGE_LENGTH) < HUGE_LENGTH:
        wrong.append("x" * (schema["maxLength"] + 1))
    if schema.get("minItems"):
        wrong.append([])
    return wrong


def example(tool: str) -> dict[str, Any]:
    """The arguments of the operation's example, by their names here."""
    (op_name,) = (one.op for one in TOOLS if one.name == tool)
    return {camel(name): value for name, value in REGISTRY.get(op_name).example.items()}


def bad_calls(tool: str, schema: dict[str, Any]) -> list[tuple[str, dict[str, Any], str]]:
    """Calls of one tool that must be refused, and the reason for each."""
    required = schema.get("required", [])
    valid = {name: example(tool)[name] for name in required}
    calls = [(tool, {**valid, "surprise": 1}, "argument.unknown")]
    calls += [
        (tool, {key: value for key, value in valid.items() if key != name}, "argument.missing") for name in required
    ]
    for name, argument in schema.get("properties", {}).items():
        known = WRONG.get(name) if tool in KEYS else None
        calls += [(tool, {**valid, name: wrong}, "argument.invalid") for wrong in known or outside(argument)]
    return calls


async def test_bad_arguments_are_told_and_change_nothing(tmp_path: Path, era: Era) -> None:
    async with connected(tmp_path, "ann", era) as ann, connected(tmp_path, "bob", "auto") as bob:
        await called(bob, "macp_join_channel", channelId="private")
        await called(bob, "macp_send_direct", destinationAgentId="ann", content="This stays.")
        before = content(tmp_path)
        listed = (await ann.list_tools()).tools
        calls = [call for tool in listed for call in bad_calls(tool.name, tool.input_schema)] + MEANINGLESS
        for tool, arguments, reason in calls:
            told = await refused(ann, tool, arguments)
            shown = {name: str(value)[:40] for name, value in arguments.items()}
            assert told["reasonCode"] == reason, (tool, shown, told)
            assert len(json.dumps(told)) < 2000, (tool, shown)
            if reason == "argument.invalid":
                assert told["metadata"]["argument"] in arguments, (tool, shown, told)
        assert content(tmp_path) == before
        polled = await called(ann, "macp_poll")
        assert [delivery["content"] for delivery in polled["deliveries"]] == ["This stays."]


def test_lone_surrogates_are_refused_and_change_nothing(tmp_path: Path) -> None:
    with Served(tmp_path, *common(tmp_path, "ann")) as ann:
        ann.tool("macp_poll")
        before = content(tmp_path)
        for tool, arguments in (
            ("macp_send_channel", {"content": "a\ud800"}),
            ("macp_send_channel", {"content": "a", "relevanceTags": ["\udfff"]}),
            ("macp_send_direct", {"content": "a", "destinationAgentId": "\ud800"}),
            ("macp_ack", {"deliveryId": "\ud800"}),
            ("macp_join_channel", {"channelId": "\ud83d"}),
            ("macp_register", {"interestTags": ["\ud83d"]}),
        ):
            assert ann.problem(tool, **arguments)["reasonCode"] == "argument.invalid"
        assert ann.problem("macp_poll", **{"\ud800": 1})["reasonCode"] == "argument.unknown"
        assert content(tmp_path) == before


async def test_a_waiting_poll_is_woken_by_another_process(tmp_path: Path, era: Era) -> None:
    async with connected(tmp_path, "ann", era) as ann, connected(tmp_path, "bob", "auto") as bob:
        began = anyio.current_time()
        found: list[dict[str, Any]] = []

        async def wait() -> None:
            found.append(await called(ann, "macp_poll", waitMs=20_000))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(wait)
            sent = await called(bob, "macp_send_channel", content="wake up", priority="interrupt")
        assert [one["deliveryId"] for one in found[0]["deliveries"]] == sent["deliveryIds"]
        assert anyio.current_time() - began < 10


async def test_a_waiting_poll_can_be_cancelled(tmp_path: Path, era: Era) -> None:
    async with connected(tmp_path, "ann", era) as ann, connected(tmp_path, "bob", "auto") as bob:
        with anyio.move_on_after(0.3) as given_up:
            await ann.call_tool("macp_poll", {"waitMs": 60_000})
        assert given_up.cancelled_caught
        await called(bob, "macp_send_channel", content="for whoever looks next")
        assert len((await called(ann, "macp_poll"))["deliveries"]) == 1
    assert rows(database(tmp_path), "SELECT DISTINCT state FROM sessions") == [("deregistered",)]


async def test_a_locked_database_freezes_nothing_else(tmp_path: Path, era: Era) -> None:
    async with connected(tmp_path, "ann", era) as ann, connected(tmp_path, "bob", "auto"):
        sent: list[dict[str, Any]] = []

        async def send() -> None:
            sent.append(await called(ann, "macp_send_channel", content="as soon as I may"))

        async with anyio.create_task_group() as tasks:
            with locked(database(tmp_path)):
                tasks.start_soon(send)
                began = anyio.current_time()
                for _ in range(3):
                    if era == "legacy":
                        await ann.session.send_ping()
                    await ann.list_tools(cache_mode="bypass")
                    await called(ann, "macp_poll")  # an empty poll only reads
                assert anyio.current_time() - began < 3
                assert sent == []
        assert sent[0]["recipientAgentIds"] == ["bob"]


def test_a_lock_that_stays_is_a_problem_that_can_be_tried_again(tmp_path: Path) -> None:
    with Served(tmp_path, *common(tmp_path, "ann")) as ann:
        ann.tool("macp_poll")
        with locked(database(tmp_path)):
            begun = ann.begin("macp_join_channel", channelId="side")
            ann.ping()
            told = problem(ann.result(begun))
        assert (told["reasonCode"], "again" in told["hint"]) == ("store.locked", True)
        assert ann.tool("macp_join_channel", channelId="side")["channelId"] == "side"
