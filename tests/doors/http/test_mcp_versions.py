"""Which version a request is of, by its header and by itself: what does not agree, or is not known, is refused."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.doors.http.byhand import ACCEPT
from tests.doors.http.running import Server

VERSION, PROTOCOL = "mcp-protocol-version", "io.modelcontextprotocol/protocolVersion"
MODERN = "2026-07-28"


def envelope(version: str = MODERN) -> dict[str, Any]:
    return {"_meta": {PROTOCOL: version, "io.modelcontextprotocol/clientCapabilities": {}}}


def post(server: Server, method: str, params: dict[str, Any], version: str = "", **headers: str) -> httpx2.Response:
    own = {VERSION: version, "mcp-method": method} if version else {}
    body = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
    return server.post("/mcp", body, headers={**ACCEPT, **own, **headers})


def refusal(answer: httpx2.Response) -> tuple[int, int, object]:
    """Status, code and id."""
    told = answer.json()
    return answer.status_code, told["error"]["code"], told["id"]


@pytest.mark.parametrize("params", [{}, envelope("2099-01-01")], ids=["by the header", "by both"])
def test_a_version_that_nobody_knows_is_told_the_known_ones(server: Server, params: dict[str, Any]) -> None:
    answer = server.post(
        "/mcp",
        {"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": params},
        headers={**ACCEPT, VERSION: "2099-01-01"},  # whether it has other headers is unknown
    )
    assert refusal(answer) == (400, -32022, 7)
    found = post(server, "server/discover", envelope(), MODERN).json()["result"]["supportedVersions"]
    assert answer.json()["error"]["data"] == {"supported": found, "requested": "2099-01-01"}


@pytest.mark.parametrize("header", ["", "2025-11-25"])
def test_a_request_that_says_another_version_than_its_header_is_refused(server: Server, header: str) -> None:
    assert refusal(post(server, "tools/list", envelope(), header)) == (400, -32020, 7)


@pytest.mark.parametrize("method", ["initialize", "ping", "logging/setLevel", "resources/subscribe"])
def test_a_version_without_sessions_has_no_methods_of_sessions(server: Server, method: str) -> None:
    older = {"protocolVersion": "2025-11-25", "uri": "masc://status"}
    assert refusal(post(server, method, {**older, **envelope()}, MODERN)) == (404, -32601, 7)
    assert refusal(post(server, method, older, MODERN)) == (400, -32602, 7)  # its version is said by the header alone


@pytest.mark.parametrize("version", ["", MODERN])
@pytest.mark.parametrize("body", [{"jsonrpc": "2.0", "id": 7}, {"id": 7, "method": "ping"}], ids=["method", "jsonrpc"])
def test_what_is_no_request_is_refused_by_its_id(server: Server, version: str, body: dict[str, Any]) -> None:
    headers = {**ACCEPT, **({VERSION: version, "mcp-method": "ping"} if version else {})}
    assert refusal(server.post("/mcp", body, headers=headers)) == (400, -32600, 7)


@pytest.mark.parametrize("version", ["", MODERN])
def test_a_body_that_is_not_said_to_be_json_is_not_read(server: Server, version: str) -> None:
    answer = post(server, "tools/list", envelope(), version, **{"content-type": "text/plain"})
    assert refusal(answer) == (415, -32600, None)
