"""Resources, subscriptions and prompts over stdio, in both eras; a surface without them announces and has none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.mcp.driven import Driven, cancel, enveloped, initialize, request

METHODS = ("resources/list", "resources/templates/list", "resources/read", "prompts/list", "prompts/get")


@pytest.fixture
def toy() -> Iterator[Driven]:
    with Driven("2", "offers") as driven:
        yield driven


def results(toy: Driven, *, modern: bool, **arguments: Any) -> dict[str, Any]:
    """Each method's answer, without what an era adds to all."""
    ask = enveloped if modern else request
    given: dict[str, dict[str, Any]] = {
        "resources/read": {"uri": "toy://one?n=2"},
        "prompts/get": {"name": "hello", "arguments": {"who": "you"}},
    }
    return {name: toy.ask(ask(name, name, **given.get(name, {}), **arguments)) for name in METHODS}


@pytest.mark.parametrize("modern", [True, False])
def test_both_eras_offer_the_same(toy: Driven, modern: bool) -> None:
    announced = toy.ask(enveloped(0, "server/discover") if modern else initialize(0))["result"]
    assert announced["capabilities"]["resources"] == {"subscribe": True, "listChanged": False}
    assert announced["capabilities"]["prompts"] == {"listChanged": False}
    told = {name: answer["result"] for name, answer in results(toy, modern=modern).items()}
    assert [one["uri"] for one in told["resources/list"]["resources"]] == ["toy://one", "toy://slow"]
    assert told["resources/templates/list"]["resourceTemplates"][0]["uriTemplate"] == "toy://one{?n}"
    version = "2026-07-28" if modern else "2025-11-25"
    content = {"uri": "toy://one?n=2", "mimeType": "text/plain", "text": f"toy://one?n=2 as {version}"}
    assert told["resources/read"]["contents"] == [content]
    assert told["prompts/list"]["prompts"] == [{"name": "hello"}]
    assert told["prompts/get"]["messages"][0]["content"]["text"] == "Hello you"
    assert all(("ttlMs" in result) == modern for name, result in told.items() if name != "prompts/get")


@pytest.mark.parametrize("modern", [True, False])
def test_what_is_wrong_is_told(toy: Driven, modern: bool) -> None:
    toy.ask(initialize(0))
    ask = enveloped if modern else request
    missing = toy.ask(ask(1, "resources/read", uri="toy://none"))["error"]
    assert (missing["code"], missing["data"]) == (-32602 if modern else -32002, {"uri": "toy://none"})
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("resources/read", {}),
        ("resources/read", {"uri": 7}),
        ("resources/list", {"cursor": "x"}),
        ("prompts/get", {"name": "none"}),
        ("prompts/get", {"name": "hello", "arguments": []}),
    ]
    for method, params in wrong:
        assert toy.ask(ask(2, method, **params))["error"]["code"] == -32602, method
    code = toy.ask(ask(3, "resources/subscribe", uri="toy://none"))["error"]["code"]
    assert code == (-32601 if modern else -32002)


def test_a_subscriber_hears_what_its_tools_touch(toy: Driven) -> None:
    toy.ask(initialize(0))
    assert toy.ask(request(1, "resources/subscribe", uri="toy://one?n=2"))["result"] == {}
    listen = {"notifications": {"resourceSubscriptions": ["toy://one", "toy://none"], "toolsListChanged": True}}
    toy.send(enveloped("l", "subscriptions/listen", **listen))
    assert toy.receive()["params"]["notifications"] == {"resourceSubscriptions": ["toy://one"]}
    toy.ask(request(2, "tools/call", name="steps"))
    heard = [toy.receive(), toy.receive()]
    assert all(one["method"] == "notifications/resources/updated" for one in heard)
    mine = {"io.modelcontextprotocol/subscriptionId": "l"}
    assert [one["params"] for one in heard] == [{"uri": "toy://one?n=2"}, {"uri": "toy://one", "_meta": mine}]

    toy.ask(request(3, "resources/unsubscribe", uri="toy://one?n=2"))
    toy.send(cancel("l"))
    for quiet in ("steps", "fail", "echo"):
        toy.ask(request(4, "tools/call", name=quiet))
    assert toy.ask(request(5, "ping"))["result"] == {}


def test_reading_can_be_cancelled_and_is_bounded(toy: Driven) -> None:
    toy.ask(initialize(0))
    toy.send(request(1, "resources/read", uri="toy://slow"), request(2, "resources/read", uri="toy://slow"))
    refused = toy.ask(request(3, "resources/read", uri="toy://one"))["error"]
    assert (refused["code"], refused["data"]) == (-32603, {"code": "call.too_many"})
    toy.send(cancel(1))
    toy.said("wait was stopped")
    assert toy.ask(request(4, "ping"))["result"] == {}


def test_nothing_is_announced_where_there_is_nothing() -> None:
    with Driven() as toy:
        assert toy.ask(initialize(0))["result"]["capabilities"] == {"tools": {"listChanged": False}, "logging": {}}
        for method in (*METHODS, "resources/subscribe"):
            assert toy.ask(request(1, method))["error"]["code"] == -32601
        toy.send(enveloped("l", "subscriptions/listen", notifications={"resourceSubscriptions": ["toy://one"]}))
        assert toy.receive()["params"]["notifications"] == {}
