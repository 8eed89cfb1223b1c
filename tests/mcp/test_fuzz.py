"""Whatever comes in: the server lives, its output is well-formed, and no request is answered twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comity.mcp.protocol import McpConnection
from comity.mcp.request import Action, Begin, Call, Greet, Send, Stop
from tests.mcp.driven import ENVELOPE, Driven, initialize, request
from tests.mcp.toy_surface import Toy
from tests.rounds import rounds

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ids = st.integers(1, 4) | st.sampled_from(["1", "2", "ü", "\ud800", "", None, True, 1.5, 10**20])
methods = st.sampled_from(
    [
        "initialize",
        "ping",
        "tools/list",
        "tools/call",
        "server/discover",
        "subscriptions/listen",
        "notifications/cancelled",
        "notifications/initialized",
        "resources/list",
    ]
)
metas = st.sampled_from([ENVELOPE, {"progressToken": 1}, {}, None, 7]) | st.dictionaries(
    st.sampled_from([*ENVELOPE, "progressToken"]), json_values
)
params = (
    st.fixed_dictionaries(
        {},
        optional={
            "_meta": metas,
            "name": st.sampled_from(["echo", "fail", "crash", "odd", "surrogate", "none"]) | json_values,
            "arguments": json_values,
            "requestId": ids,
            "protocolVersion": st.sampled_from(["2025-03-26", "2025-11-25"]) | json_values,
            "notifications": st.just({}) | json_values,
            "cursor": st.none() | json_values,
        },
    )
    | json_values
)
messages: st.SearchStrategy[Any] = (
    st.fixed_dictionaries(
        {"jsonrpc": st.just("2.0"), "method": methods | st.text()}, optional={"id": ids, "params": params}
    )
    | st.fixed_dictionaries(
        {}, optional={"jsonrpc": json_values, "id": ids, "method": json_values, "result": json_values}
    )
    | json_values
)
sensible = (messages | st.lists(messages, max_size=4)).map(lambda value: json.dumps(value).encode())
lines = sensible | st.binary().map(lambda raw: raw.replace(b"\n", b""))


class Watched:
    """A session whose every line is checked."""

    def __init__(self) -> None:
        self.session = McpConnection(Toy(), max_calls=3)
        self.running: list[Call] = []
        self.owed: Counter[tuple[type, object]] = Counter()  # per id: requests made and not answered

    def asked(self, message: object) -> None:
        if isinstance(message, dict) and type(message.get("id")) in {int, str}:
            self.owed[type(message["id"]), message["id"]] += 1

    def perform(self, actions: list[Action]) -> None:
        for action in actions:
            if isinstance(action, Send | Greet):
                self.said(action.line)
            elif isinstance(action, Begin):
                self.running.append(action.call)
            else:
                assert isinstance(action, Stop)
                assert action.call in self.running

    def said(self, line: bytes) -> None:
        assert b"\n" not in line
        value = json.loads(line.decode())
        for message in value if isinstance(value, list) else [value]:
            assert message["jsonrpc"] == "2.0"
            if "method" in message:
                assert message["method"].startswith("notifications/")
                continue
            assert ("result" in message) != ("error" in message)
            if message["id"] is not None:
                key = type(message["id"]), message["id"]
                self.owed[key] -= 1
                assert self.owed[key] >= 0, f"{message['id']!r} was answered twice"

    def finish(self, index: int) -> None:
        if self.running:
            call = self.running.pop(index % len(self.running))
            line = self.session.settle(call, self.session.result(call, "done", {}))
            if line is not None:
                self.said(line)


@given(st.lists(lines | st.integers(0, 5), max_size=30), st.booleans())
@settings(max_examples=rounds(120, 400), deadline=None)
def test_a_session_survives_any_lines_in_any_order(steps: list[bytes | int], batches: bool) -> None:
    watched = Watched()
    if batches:
        watched.session.receive(json.dumps(initialize("first", "2025-03-26")).encode())
    for step in steps:
        if isinstance(step, int):
            watched.finish(step)
            continue
        try:
            value = json.loads(step)
        except (ValueError, RecursionError):
            value = None
        for message in value if isinstance(value, list) else [value]:
            watched.asked(message)
        watched.perform(watched.session.receive(step))
    while watched.running:
        watched.finish(0)
    assert watched.session.running == 0
    watched.perform(watched.session.close())


@pytest.fixture(scope="module")
def server() -> Iterator[Driven]:
    with Driven() as driven:
        driven.ask(initialize("start", "2025-03-26"))
        yield driven


@given(st.lists(lines, max_size=20))
@settings(max_examples=rounds(20, 60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_process_survives_any_lines(server: Driven, hostile: list[bytes]) -> None:
    server.send(*(line + b"\n" for line in hostile), request("barrier", "ping"))
    while (message := server.receive()) and (isinstance(message, list) or message.get("id") != "barrier"):
        assert message
    assert server.process.poll() is None
