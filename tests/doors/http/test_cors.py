"""Pages of another origin that was allowed: what a browser needs to hear before it lets them read an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from comity import settings
from comity.doors.http.routes import table
from comity.server.address import ServerAddress
from comity.server.agent_header import HEADERS
from comity.server.application import Application
from comity.server.auth.authority import Authority
from comity.server.auth.config import AuthConfig
from comity.server.state import ServerState
from comity.workspace import from_settings
from tests.doors.http.byhand import ACCEPT, VERSION
from tests.doors.http.running import Server, environment, repository, serving

PAGE, OTHER = "https://shop.example", "http://localhost:5173"
GRANTED, READABLE = "access-control-allow-origin", "access-control-expose-headers"


@pytest.fixture(scope="module")
def open_to_pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that pages of two origins may use; the first is written as people do."""
    folder = repository(tmp_path_factory.mktemp("pages"))
    with serving(folder, "--allow-origin", "https://Shop.example:443", "--allow-origin", OTHER) as running:
        yield running


def words(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",")}


def preflight(server: Server, path: str, method: str, headers: str = "", origin: str = PAGE, **more: str) -> Any:
    asked = {"origin": origin, "access-control-request-method": method, **more}
    if headers:
        asked["access-control-request-headers"] = headers
    return server.client.request("OPTIONS", path, headers=asked)


def browser_lets(told: httpx2.Response, method: str, headers: str, origin: str = PAGE) -> bool:
    """The check of a preflight's answer in the Fetch standard, for a request without credentials."""
    return (
        told.status_code in range(200, 300)
        and told.headers.get(GRANTED) == origin
        and method in {word.strip() for word in told.headers["access-control-allow-methods"].split(",")}
        and words(headers) <= words(told.headers["access-control-allow-headers"])
    )


def test_every_route_may_be_asked_for_with_the_headers_that_clients_send(open_to_pages: Server) -> None:
    sent = ", ".join(
        (
            *("authorization", "content-type", "idempotency-key", "if-none-match", "last-event-id", "traceparent"),
            *("mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", *HEADERS),
        )
    )
    routes = {(route.method, route.path) for route in table().routes if not route.socket}
    for method, path in sorted(routes - {(one, path) for one, path in routes if one == "WEBSOCKET"}):
        told = preflight(open_to_pages, path, method, sent)
        assert browser_lets(told, method, sent), (method, path, told.headers)
        assert told.content == b""
        assert "access-control-allow-private-network" not in told.headers
        assert "access-control-allow-credentials" not in told.headers
    assert browser_lets(preflight(open_to_pages, "/nothing/here", "POST", "content-type"), "POST", "content-type")


def test_a_page_of_the_public_web_may_ask_this_machine(open_to_pages: Server) -> None:
    more = {"access-control-request-private-network": "true"}
    told = preflight(open_to_pages, "/api/v1/task.list", "GET", **more)
    assert told.headers["access-control-allow-private-network"] == "true"
    told = preflight(open_to_pages, "/api/v1/task.list", "GET", origin="https://evil.example", **more)
    assert (told.status_code, told.headers.get("access-control-allow-private-network")) == (403, None)


@pytest.mark.parametrize("origin", [PAGE, OTHER])
def test_a_page_writes_and_reads(open_to_pages: Server, origin: str) -> None:
    headers = {"origin": origin, "x-comity-agent": "page"}
    made = open_to_pages.post("/api/v1/task.dispatch", {"title": f"From {origin}"}, headers=headers)
    listed = open_to_pages.get("/api/v1/task.list", headers={**headers, "sec-fetch-site": "cross-site"})
    again = open_to_pages.get("/api/v1/task.list", headers={**headers, "if-none-match": listed.headers["etag"]})
    assert [made.status_code, listed.status_code, again.status_code] == [200, 200, 304]
    for told in (made, listed, again):
        assert told.headers[GRANTED] == origin
        assert "origin" in words(told.headers["vary"])
        assert "access-control-allow-credentials" not in told.headers
        assert {"etag", "link", "mcp-session-id", "x-request-id", "retry-after"} <= words(told.headers[READABLE])


def test_a_page_speaks_mcp_and_follows_events(open_to_pages: Server) -> None:
    params = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": {"name": "page", "version": "1"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    told = open_to_pages.post("/mcp", body, headers={**ACCEPT, "origin": PAGE})
    assert (told.status_code, told.headers[GRANTED]) == (200, PAGE)
    assert told.headers["mcp-session-id"]
    with open_to_pages.client.stream("GET", "/api/v1/events", headers={"origin": PAGE}) as stream:
        assert (stream.status_code, stream.headers[GRANTED]) == (200, PAGE)


def test_a_page_may_read_why_it_was_refused(open_to_pages: Server) -> None:
    page = {"origin": PAGE}
    wrong = {**page, "authorization": "Bearer nonsense"}
    refusals = {
        401: open_to_pages.get("/api/v1/task.list", headers=wrong),
        403: open_to_pages.get("/api/v1/token.list", headers=page),
        404: open_to_pages.get("/nothing", headers=page),
        405: open_to_pages.client.request("DELETE", "/api/v1/task.list", headers=page),
        415: open_to_pages.client.request("POST", "/api/v1/task.dispatch", content=b"x", headers=page),
    }
    for status, told in refusals.items():
        assert (told.status_code, told.headers.get(GRANTED)) == (status, PAGE)
        assert told.json()["hint"]


def test_preflights_are_counted_and_a_page_may_read_that_it_was_too_fast(tmp_path: Path) -> None:
    told: list[dict[str, Any]] = []

    async def note(message: Any) -> None:
        if message["type"] == "http.response.start":
            told.append({"status": message["status"], **{name.decode(): value for name, value in message["headers"]}})

    async def nothing() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def ask(guard: Application) -> None:
        asked = {"host": "127.0.0.1:7", "origin": PAGE, "access-control-request-method": "GET"}
        scope: dict[str, Any] = {"type": "http", "method": "OPTIONS", "path": "/health", "client": ("203.0.113.9", 1)}
        scope["headers"] = [(name.encode(), value.encode()) for name, value in asked.items()]
        for _ in range(3):
            await guard(scope, nothing, note)

    with from_settings(settings.resolve({}, environment(), str(repository(tmp_path / "counted")))) as workspace:
        authority = Authority(workspace, AuthConfig.read(str(tmp_path)), required=True)
        server = ServerState(workspace, authority, ServerAddress(port=7, origins=(PAGE,), rate=1, burst=2))
        try:
            asyncio.run(ask(Application(server, table())))
        finally:
            server.calls.close()
    assert [one["status"] for one in told] == [204, 204, 429]
    assert {one[GRANTED] for one in told} == {PAGE.encode()}
    assert told[2]["retry-after"] == b"1"


def test_others_get_nothing(open_to_pages: Server) -> None:
    for origin in (
        "https://evil.example",
        "http://shop.example",
        f"{PAGE}:8443",
        f"{PAGE}.evil.example",
        "https://evil.shop.example",
        "null",
        "*",
    ):
        for told in (
            preflight(open_to_pages, "/api/v1/task.list", "GET", origin=origin),
            open_to_pages.get("/api/v1/task.list", headers={"origin": origin}),
        ):
            assert (told.status_code, told.json()["reason"]) == (403, "origin.foreign"), origin
            assert not [name for name in told.headers if name.startswith("access-control-")]
            assert "origin" in words(told.headers["vary"])
    both = httpx2.Headers([("origin", PAGE), ("origin", OTHER)])
    told = open_to_pages.client.request("GET", "/health", headers=both)
    assert not [name for name in told.headers if name.startswith("access-control-")]


def test_without_the_option_there_is_no_word_of_it(server: Server) -> None:
    own = server.get("/health", headers={"origin": server.url})
    assert own.status_code == 200
    asked = preflight(server, "/api/v1/task.list", "GET", origin=server.url)
    assert asked.status_code == 405
    for told in (own, asked):
        assert not {name for name in told.headers if name.startswith("access-control-") or name == "vary"}


def test_what_is_no_preflight_is_a_method_like_another(open_to_pages: Server) -> None:
    told = open_to_pages.client.request("OPTIONS", "/api/v1/task.list", headers={"origin": PAGE})
    assert (told.status_code, told.headers[GRANTED]) == (405, PAGE)
    told = preflight(open_to_pages, "/api/v1/task.list", "GET", origin=open_to_pages.url)
    assert told.status_code == 405
    told = preflight(open_to_pages, "/api/v1/task.list", "GET", host="evil.example")
    assert told.status_code == 421
