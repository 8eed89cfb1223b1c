"""The protocol without I/O: what each revision answers to what."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comity.mcp import wire
from comity.mcp.era import HANDSHAKE_VERSIONS
from comity.mcp.protocol import MAX_SUBSCRIPTIONS, McpConnection
from comity.mcp.request import Action, Begin, Call, Greet, Send, Stop
from tests.mcp.driven import ENVELOPE, cancel, enveloped, initialize, request
from tests.mcp.toy_surface import Toy


class Peer:
    """Feeds a session and keeps what it says."""

    def __init__(self, version: str | None = "2025-11-25", max_calls: int = 32) -> None:
        self.session = McpConnection(Toy(), max_calls)
        if version is not None:
            self.ask(initialize(0, version))

    def actions(self, message: object) -> list[Action]:
        return self.session.receive(message if isinstance(message, bytes) else json.dumps(message).encode())

    def said(self, message: object) -> list[Any]:
        actions = self.actions(message)
        assert all(isinstance(action, Send | Greet) for action in actions), actions
        return [json.loads(action.line) for action in actions if isinstance(action, Send | Greet)]

    def ask(self, message: object) -> Any:
        (answer,) = self.said(message)
        return answer

    def begin(self, message: object) -> Call:
        (action,) = self.actions(message)
        assert isinstance(action, Begin)
        return action.call

    def finish(self, call: Call, structured: object = None) -> Any:
        line = self.session.settle(call, self.session.result(call, "done", structured))
        return None if line is None else json.loads(line)

    def code(self, message: object) -> tuple[Any, int]:
        answer = self.ask(message)
        return answer["id"], answer["error"]["code"]


# -- the handshake era


@pytest.mark.parametrize("version", HANDSHAKE_VERSIONS)
def test_initialize_answers_the_version_it_was_asked_for(version: str) -> None:
    result = Peer(None).ask(initialize(1, version))["result"]
    assert result == {
        "protocolVersion": version,
        "capabilities": {"tools": {"listChanged": False}, "logging": {}},
        "serverInfo": {"name": "toy", "version": "1.0"},
        "instructions": "Call echo.",
    }


@pytest.mark.parametrize("version", ["2026-07-28", "1999-01-01", ""])
def test_initialize_offers_the_newest_handshake_version_instead_of_another(version: str) -> None:
    assert Peer(None).ask(initialize(1, version))["result"]["protocolVersion"] == "2025-11-25"


def test_initialize_needs_a_version_and_little_else() -> None:
    peer = Peer(None)
    assert peer.code(request(1, "initialize")) == (1, wire.INVALID_PARAMS)
    assert peer.ask(request(2, "initialize", protocolVersion="2024-11-05"))["result"]
    assert peer.ask(initialize(3, "2025-06-18"))["result"]["protocolVersion"] == "2025-06-18"  # once more


def test_before_initialize_only_ping_is_answered_and_the_rest_is_told_how_to_begin() -> None:
    peer = Peer(None)
    assert peer.ask(request(1, "ping"))["result"] == {}
    answer = peer.ask(request(2, "tools/list"))
    assert answer["error"]["code"] == wire.INVALID_PARAMS
    assert "initialize" in answer["error"]["message"]
    assert "2026-07-28" in answer["error"]["data"]["supported"]
    assert peer.code(request(3, "resources/list")) == (3, wire.METHOD_NOT_FOUND)
    peer.ask(initialize(4))
    assert peer.ask(request(5, "tools/list"))["result"]["tools"]


@pytest.mark.parametrize(
    "method",
    [
        "resources/list",
        "prompts/list",
        "completion/complete",
        "tasks/list",
        "nonsense",
        "",
    ],
)
def test_methods_of_capabilities_that_were_not_declared_are_unknown(method: str) -> None:
    assert Peer().code(request(1, method)) == (1, wire.METHOD_NOT_FOUND)
    assert Peer(None).code(enveloped(1, method)) == (1, wire.METHOD_NOT_FOUND)


def test_results_of_the_handshake_era_carry_nothing_of_the_later_one() -> None:
    peer = Peer()
    assert peer.ask(request(1, "ping")) == {"jsonrpc": "2.0", "id": 1, "result": {}}
    assert set(peer.ask(request(2, "tools/list"))["result"]) == {"tools"}
    call = peer.begin(request(3, "tools/call", name="echo"))
    result = peer.finish(call, {"a": 1})["result"]
    text = [{"type": "text", "text": "done"}]
    assert result == {"content": text, "structuredContent": {"a": 1}, "isError": False}


def test_structured_content_that_is_no_object_is_left_out_before_2026_07_28() -> None:
    peer = Peer()
    assert "structuredContent" not in peer.finish(peer.begin(request(1, "tools/call", name="x")), [1])["result"]
    call = peer.begin(enveloped(2, "tools/call", name="x"))
    assert peer.finish(call, [1])["result"]["structuredContent"] == [1]


# -- the per-request era


def test_discover_needs_no_handshake() -> None:
    result = Peer(None).ask(enveloped("d", "server/discover"))["result"]
    assert result["supportedVersions"] == ["2026-07-28"]
    assert result["resultType"] == "complete"
    assert (result["ttlMs"], result["cacheScope"]) == (300_000, "private")
    assert result["instructions"] == "Call echo."
    assert result["_meta"] == {"io.modelcontextprotocol/serverInfo": {"name": "toy", "version": "1.0"}}


@pytest.mark.parametrize("first", ["initialize", "server/discover"])
def test_both_eras_live_on_one_connection_in_any_order(first: str) -> None:
    peer = Peer(None)
    openers = [initialize(1), enveloped(2, "server/discover")]
    for opener in openers if first == "initialize" else reversed(openers):
        assert "result" in peer.ask(opener)
    assert "resultType" not in peer.ask(request(3, "tools/list"))["result"]
    assert peer.ask(enveloped(4, "tools/list"))["result"]["resultType"] == "complete"


def test_initialize_is_the_handshake_even_inside_an_envelope() -> None:
    message = initialize(1)
    message["params"]["_meta"] = ENVELOPE
    assert Peer(None).ask(message)["result"]["protocolVersion"] == "2025-11-25"


def test_every_result_is_stamped_and_lists_say_how_long_they_keep() -> None:
    peer = Peer(None)
    listed = peer.ask(enveloped(1, "tools/list"))["result"]
    assert (listed["ttlMs"], listed["cacheScope"], listed["resultType"]) == (300_000, "public", "complete")
    result = peer.finish(peer.begin(enveloped(2, "tools/call", name="echo")))["result"]
    assert result["resultType"] == "complete"
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "toy"


@pytest.mark.parametrize("lacking", ["protocolVersion", "clientCapabilities"])
def test_half_an_envelope_is_refused_by_name(lacking: str) -> None:
    meta = {key: value for key, value in ENVELOPE.items() if not key.endswith(lacking)}
    answer = Peer().ask(request(1, "tools/list", _meta=meta))
    assert answer["error"]["code"] == wire.INVALID_PARAMS
    assert lacking in answer["error"]["message"]


def test_methods_of_the_era_demand_its_envelope() -> None:
    assert Peer().code(request(1, "server/discover")) == (1, wire.INVALID_PARAMS)
    assert Peer().code(request(1, "subscriptions/listen", notifications={})) == (1, wire.INVALID_PARAMS)
    assert Peer().code(enveloped(1, "ping")) == (1, wire.METHOD_NOT_FOUND)  # removed in 2026-07-28


def test_another_version_in_the_envelope_is_answered_with_those_supported() -> None:
    meta = {**ENVELOPE, "io.modelcontextprotocol/protocolVersion": "2099-01-01"}
    error = Peer(None).ask(request(1, "server/discover", _meta=meta))["error"]
    assert error["code"] == -32022
    assert error["data"]["requested"] == "2099-01-01"
    assert error["data"]["supported"] == ["2026-07-28"]  # as server/discover says, too
    meta["io.modelcontextprotocol/protocolVersion"] = "2025-11-25"
    assert Peer(None).ask(request(1, "tools/list", _meta=meta))["error"]["data"]["supported"] == ["2026-07-28"]


def test_content_may_be_of_any_kind_and_a_resource_bytes() -> None:
    peer = Peer()
    items = [{"type": "text", "text": "a\nb"}, {"type": "image", "data": "AA==", "mimeType": "image/png"}]
    call = peer.begin(request(1, "tools/call", name="echo"))
    assert json.loads(peer.session.result(call, items))["result"] == {"content": items, "isError": False}
    call.uri = "toy://one"
    (read,) = json.loads(peer.session.said(call, peer.session.ask(call), b"\0\xff"))["result"]["contents"]
    assert read == {"uri": "toy://one", "mimeType": "image/png", "blob": "AP8="}


def test_a_subscription_is_acknowledged_and_ended_by_the_client_in_silence() -> None:
    peer = Peer(None)
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["file:///x"]}
    ack = peer.ask(enveloped("s", "subscriptions/listen", notifications=wanted))
    assert ack["method"] == "notifications/subscriptions/acknowledged"
    assert ack["params"] == {"_meta": {"io.modelcontextprotocol/subscriptionId": "s"}, "notifications": {}}
    assert peer.code(enveloped("s", "tools/list")) == (None, wire.INVALID_REQUEST)  # the id is in use
    assert peer.said(cancel("s")) == []
    assert peer.session.close() == []


def test_a_subscription_is_ended_by_the_server_with_its_result() -> None:
    peer = Peer(None)
    peer.ask(enveloped(7, "subscriptions/listen", notifications={}))
    (send,) = peer.session.close()
    assert isinstance(send, Send)
    answer = json.loads(send.line)
    assert answer["id"] == 7
    assert answer["result"]["resultType"] == "complete"
    assert answer["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"] == 7


def test_subscriptions_are_limited_and_checked() -> None:
    peer = Peer(None)
    assert peer.code(enveloped("x", "subscriptions/listen")) == ("x", wire.INVALID_PARAMS)
    for number in range(MAX_SUBSCRIPTIONS):
        peer.ask(enveloped(number, "subscriptions/listen", notifications={}))
    assert peer.code(enveloped("x", "subscriptions/listen", notifications={})) == ("x", wire.INTERNAL_ERROR)


# -- bad messages


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"{",
        b'{"jsonrpc":"2.0","id":1,"method":"ping"',
        b'\xff\xfe{"a":1}',
        b'{"a":"\xed\xa0\x80"}',  # a surrogate in UTF-8
        b'{"a":"\x00"}',
        b'{"jsonrpc":"2.0","id":NaN,"method":"ping"}',
        b'{"id":' + b"9" * 5000 + b"}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
)
def test_a_line_that_is_no_json_is_a_parse_error_without_an_id(line: bytes) -> None:
    assert Peer().code(line) == (None, wire.PARSE_ERROR)


@pytest.mark.parametrize(
    ("message", "request_id"),
    [
        (1, None),
        ("x", None),
        (None, None),
        ({}, None),
        ({"jsonrpc": "2.0"}, None),
        ({"jsonrpc": "2.0", "id": 5}, 5),
        ({"jsonrpc": "2.0", "id": 5, "method": 7}, 5),
        ({"jsonrpc": "1.0", "id": 5, "method": "ping"}, 5),
        ({"id": "a", "method": "ping"}, "a"),
        ({"method": "ping"}, None),
        ({"jsonrpc": "2.0", "id": None, "method": "ping"}, None),
        ({"jsonrpc": "2.0", "id": True, "method": "ping"}, None),
        ({"jsonrpc": "2.0", "id": 1.5, "method": "ping"}, None),
        ({"jsonrpc": "2.0", "id": [1], "method": "ping"}, None),
        ({"jsonrpc": "2.0", "id": "\ud800", "method": "ping"}, None),
        ([], None),
        ([{"jsonrpc": "2.0", "id": 1, "method": "ping"}], None),
    ],
)
def test_json_that_is_no_message_is_an_invalid_request(message: object, request_id: object) -> None:
    assert Peer().code(message) == (request_id, wire.INVALID_REQUEST)


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": {"_meta": 3}},
        request(1, "tools/call"),
        request(1, "tools/call", name=3),
        request(1, "tools/call", name="echo", arguments=[]),
        request(1, "tools/call", name="echo", arguments="{}"),
        request(1, "tools/list", cursor="2"),
        request(1, "tools/list", cursor=3),
    ],
)
def test_wrong_params_are_invalid_params(message: object) -> None:
    assert Peer().code(message) == (1, wire.INVALID_PARAMS)


def test_generous_readings() -> None:
    peer = Peer()
    assert peer.ask(b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"ping"}\r')["id"] == 1
    assert peer.ask({"jsonrpc": "2.0", "id": 2, "method": "ping", "params": None})["result"] == {}
    assert peer.ask(request(3, "tools/list", cursor=None, _meta=None))["result"]["tools"]
    assert peer.begin(request(4, "tools/call", name="echo")).arguments == {}
    assert peer.begin(request(5, "tools/call", name="echo", arguments=None, task={"ttl": 1})).arguments == {}
    assert peer.ask(request(10**30, "ping"))["id"] == 10**30


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled"},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": [1]}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 404}},
        {"jsonrpc": "2.0", "method": "ping"},
        {"jsonrpc": "2.0", "method": "no/such", "params": 7},
        {"jsonrpc": "2.0", "id": 9, "result": {}},
        {"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": ""}},
    ],
)
def test_notifications_and_responses_are_never_answered(message: object) -> None:
    assert Peer().said(message) == []


# -- calls


def test_an_id_in_use_is_refused_without_disturbing_its_owner() -> None:
    peer = Peer()
    call = peer.begin(request(1, "tools/call", name="wait"))
    answer = peer.ask(request(1, "ping"))
    assert (answer["id"], answer["error"]["code"]) == (None, wire.INVALID_REQUEST)
    assert answer["error"]["data"] == {"requestId": 1}
    assert peer.code({"jsonrpc": "1.0", "id": 1, "method": "ping"}) == (None, wire.INVALID_REQUEST)
    assert peer.ask(request("1", "ping"))["id"] == "1"  # another id
    assert peer.finish(call)["id"] == 1
    assert peer.ask(request(1, "ping"))["id"] == 1


def test_a_cancelled_call_is_stopped_and_never_answered() -> None:
    peer = Peer()
    call = peer.begin(request(1, "tools/call", name="wait", _meta={"progressToken": "t"}))
    assert peer.actions(cancel("1")) == []
    assert peer.actions(cancel(1)) == [Stop(call)]
    assert peer.actions(cancel(1)) == []
    assert peer.session.progress(call, 1, None, None) is None
    again = peer.begin(request(1, "tools/call", name="wait"))  # the id is free again
    assert peer.finish(call) is None
    assert peer.finish(again)["id"] == 1
    assert peer.session.running == 0


def test_progress_goes_forward_only_and_ends_with_the_call() -> None:
    peer = Peer()
    call = peer.begin(request(1, "tools/call", name="steps", _meta={"progressToken": "t"}))
    line = peer.session.progress(call, 0.5, 2, "half")
    assert line is not None
    assert json.loads(line)["params"] == {
        "progressToken": "t",
        "progress": 0.5,
        "total": 2,
        "message": "half",
    }
    assert peer.session.progress(call, 0.5, None, None) is None
    assert peer.session.progress(call, float("nan"), None, None) is None
    assert peer.session.progress(call, float("inf"), None, None) is None
    line = peer.session.progress(call, 1, float("nan"), None)
    assert line is not None
    assert json.loads(line)["params"] == {"progressToken": "t", "progress": 1}
    peer.finish(call)
    assert peer.session.progress(call, 2, None, None) is None


@pytest.mark.parametrize("token", [None, True, 1.5, {}, "\ud800"])
def test_no_progress_without_a_token(token: object) -> None:
    peer = Peer()
    call = peer.begin(request(1, "tools/call", name="steps", _meta={"progressToken": token}))
    assert peer.session.progress(call, 1, None, None) is None


def test_calls_beyond_the_limit_get_a_problem_until_one_ends() -> None:
    peer = Peer(max_calls=2)
    first = peer.begin(request(1, "tools/call", name="wait"))
    peer.begin(request(2, "tools/call", name="wait"))
    refused = peer.ask(request(3, "tools/call", name="wait"))
    assert refused["result"]["isError"] is True
    assert json.loads(refused["result"]["content"][0]["text"])["reasonCode"] == "call.too_many"
    peer.actions(cancel(1))
    assert peer.ask(request(3, "tools/call", name="wait"))["result"]["isError"]  # its thread still runs
    assert peer.finish(first) is None
    peer.begin(request(3, "tools/call", name="wait"))


def test_a_call_knows_its_meta_and_client() -> None:
    peer = Peer()
    call = peer.begin(request(1, "tools/call", name="echo", _meta={"threadId": "t"}))
    assert (call.meta, call.client["name"], call.version) == ({"threadId": "t"}, "test", "2025-11-25")
    call = peer.begin(enveloped(2, "tools/call", name="echo"))
    assert (call.client, call.version) == ({"name": "test", "version": "1"}, "2026-07-28")
    meta = {**ENVELOPE, "io.modelcontextprotocol/clientInfo": "me"}
    assert peer.begin(request(3, "tools/call", name="echo", _meta=meta)).client == {}


def test_closing_asks_running_calls_to_stop_and_still_answers_them() -> None:
    peer = Peer()
    call = peer.begin(request(1, "tools/call", name="wait"))
    assert peer.session.close() == [Stop(call)]
    assert peer.finish(call)["id"] == 1


# -- batches, which only 2025-03-26 has


def test_a_batch_is_answered_on_one_line_once_all_is_known() -> None:
    peer = Peer("2025-03-26")
    actions = peer.actions(
        [
            request(1, "ping"),
            {"jsonrpc": "2.0", "method": "notifications/initialized"},
            request(2, "tools/call", name="echo"),
            request(3, "tools/call", name="wait"),
            7,
        ]
    )
    calls = [action.call for action in actions if isinstance(action, Begin)]
    assert len(actions) == len(calls) == 2
    assert peer.finish(calls[0]) is None
    stop, send = peer.actions(cancel(3))
    assert stop == Stop(calls[1])
    assert isinstance(send, Send)
    assert [answer["id"] for answer in json.loads(send.line)] == [1, None, 2]
    assert peer.finish(calls[1]) is None


def test_a_batch_without_answers_is_silent() -> None:
    peer = Peer("2025-03-26")
    assert peer.said([{"jsonrpc": "2.0", "method": "notifications/initialized"}, cancel(9)]) == []
    (begun,) = peer.actions([request(1, "tools/call", name="wait")])
    assert isinstance(begun, Begin)
    assert peer.actions(cancel(1)) == [Stop(begun.call)]


def test_what_a_batch_may_not_hold() -> None:
    peer = Peer("2025-03-26")
    assert peer.code([]) == (None, wire.INVALID_REQUEST)
    assert peer.code([request(1, "ping")] * 1001) == (None, wire.INVALID_REQUEST)
    (answers,) = peer.said([initialize(1), enveloped(2, "tools/list"), [request(3, "ping")]])
    assert [(a["id"], a["error"]["code"]) for a in answers] == [
        (1, wire.INVALID_REQUEST),
        (2, wire.INVALID_REQUEST),
        (None, wire.INVALID_REQUEST),
    ]


# -- framing


def test_lines_are_cut_wherever_the_chunks_fall() -> None:
    lines = wire.Lines()
    cut = [line for chunk in (b"a", b"b\nc", b"\n\nd", b"\r\n", b"e") for line in lines.feed(chunk)]
    assert cut == [b"ab", b"c", b"", b"d\r"]
    assert lines.flush() == b"e"
    assert lines.flush() == b""


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_a_line_that_is_too_long_is_told_once_and_left_behind(size: int) -> None:
    data = b"ok\n" + b"x" * 11 + b"\n" + b"y" * 10 + b"\n" + b"z" * 50 + b"\nok\n" + b"w" * 30
    lines = wire.Lines(limit_bytes=10)
    cut = [line for at in range(0, len(data), size) for line in lines.feed(data[at : at + size])]
    assert cut == [b"ok", None, b"y" * 10, None, b"ok", None]
    assert lines.flush() == b""
