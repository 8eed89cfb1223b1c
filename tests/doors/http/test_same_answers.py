"""One MCP: the same request gets the same answer over standard input and output and over HTTP, in both eras."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.doors.http.byhand import ACCEPT
from tests.doors.http.running import Server, repository, serving
from tests.e2e.served import Served
from tests.mcp.driven import enveloped, initialize, request

NAMED = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
ASKED: list[tuple[str, dict[str, Any]]] = [
    ("tools/list", {}),
    ("tools/list", {"cursor": "x"}),
    ("tools/call", {"name": "no_such"}),
    ("tools/call", {"name": "masc_tool_help", "arguments": {"tool_name": "masc_claim_next"}}),
    ("tools/call", {"name": "masc_claim_next", "arguments": {"colour": 1}}),
    ("tools/call", {"name": "masc_check", "arguments": []}),
    ("tools/call", {}),
    ("resources/list", {}),
    ("resources/templates/list", {}),
    ("resources/read", {"uri": "masc://schema"}),
    ("resources/read", {"uri": "masc://nothing"}),
    ("resources/read", {"uri": "masc://tasks.json?x=1"}),
    ("resources/read", {}),
    ("resources/subscribe", {"uri": "masc://tasks"}),
    ("resources/subscribe", {"uri": "masc://nothing"}),
    ("resources/unsubscribe", {"uri": "masc://tasks"}),
    ("prompts/list", {}),
    ("prompts/get", {"name": "none"}),
    ("logging/setLevel", {"level": "info"}),
    ("completion/complete", {}),
    ("server/discover", {}),
    ("ping", {}),
    ("tasks/list", {}),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a repository of its own."""
    with serving(repository(tmp_path_factory.mktemp("same"))) as running:
        yield running


def over_stdio(folder: Path, messages: list[dict[str, Any]]) -> list[Any]:
    """What ``comity mcp`` answers to each."""
    with Served(folder, "--surface", "masc", "--agent-id", "same") as server:
        return [server.ask(message) for message in messages]


def over_http(server: Server, messages: list[dict[str, Any]], *, modern: bool) -> list[Any]:
    """What the server answers to each: in one session, or each alone."""
    with httpx2.Client(base_url=server.url, timeout=30, headers={**ACCEPT, "x-comity-agent": "same"}) as client:
        answers = []
        for message in messages:
            own = {}
            if modern:
                key = NAMED.get(message["method"])
                named = {"mcp-name": str(message["params"][key])} if key in message["params"] else {}
                own = {"mcp-protocol-version": "2026-07-28", "mcp-method": message["method"], **named}
            told = client.post("/mcp", json=message, headers=own)
            client.headers.update({k: v for k, v in told.headers.items() if k == "mcp-session-id"})
            answers.append(json.loads(told.content))
        return answers


@pytest.mark.parametrize("modern", [False, True], ids=["handshake", "2026-07-28"])
def test_the_same_request_gets_the_same_answer(shop: Server, modern: bool) -> None:
    make = enveloped if modern else request
    messages = [make(number, method, **params) for number, (method, params) in enumerate(ASKED, 1)]
    if not modern:
        messages = [initialize(0), *messages]
    plain, served = over_stdio(shop.folder, messages), over_http(shop, messages, modern=modern)
    for message, one, other in zip(messages, plain, served, strict=True):
        assert one == other, message


def test_a_subscriber_over_stdio_hears_what_a_peer_does(tmp_path: Path) -> None:
    folder = repository(tmp_path / "shop")
    with Served(folder, "--surface", "masc", "--agent-id", "ann") as ann, Served(folder, "--agent-id", "bob") as bob:
        ann.ask(initialize(0))
        assert ann.ask(request(1, "resources/subscribe", uri="masc://tasks.json"))["result"] == {}
        ann.send(enveloped("l", "subscriptions/listen", notifications={"resourceSubscriptions": ["masc://tasks"]}))
        assert ann.receive()["method"] == "notifications/subscriptions/acknowledged"
        bob.tool("macp_ext_dispatch_task", title="heard of")
        heard = {ann.receive()["params"]["uri"] for _ in range(2)}
        assert heard == {"masc://tasks.json", "masc://tasks"}
        ann.send(request(2, "resources/unsubscribe", uri="masc://tasks.json"))
        ann.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "l"}})
        ann.send(request(3, "ping"))
        while ann.receive().get("id") != 3:
            pass  # what was on its way
        bob.tool("macp_ext_dispatch_task", title="not heard of")
        assert ann.ask(request(4, "ping"))["result"] == {}
